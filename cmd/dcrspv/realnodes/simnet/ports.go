package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// The ports nodes listen on lie below those that kernels give to outgoing
// connections (32768 and up on Linux, 49152 and up elsewhere). Such a port can
// become the near end of somebody's connection before the node listens on it,
// and whenever the node is stopped.
const (
	firstPort = 10000
	lastPort  = 32767
	// portsEach sets drivers apart that run at the same time: their process
	// ids are neighbours.
	portsEach = 32
)

// ports hands out loopback addresses, no address twice.
type ports struct {
	next int
}

func newPorts(pid int) *ports {
	blocks := (lastPort - firstPort + 1) / portsEach
	return &ports{next: firstPort + pid%blocks*portsEach}
}

// addr is an address nobody listens on.
func (p *ports) addr() (string, error) {
	for p.next <= lastPort {
		addr := fmt.Sprintf("127.0.0.1:%d", p.next)
		p.next++
		l, err := net.Listen("tcp", addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return "", err
		}
		return addr, l.Close()
	}
	return "", fmt.Errorf("no free port below %d", lastPort+1)
}
