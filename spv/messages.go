package spv

import (
	"context"
	"iter"
	"slices"
	"sync"

	"dcrspv/spv/internal/peer"

	"github.com/decred/dcrd/wire"
)

// PeerMessage is a message of a peer that the Syncer has no use for itself. Nothing about
// it is verified but its form and, of a mixing message, that its hash is the one that
// was announced; Hash returns that.
type PeerMessage struct {
	Peer    string       // host:port, as in Peer
	Message wire.Message // shared by all readers: it must not be changed
}

// What waits for a reader of messages is bounded, so that a peer that sends a lot takes no
// room from others. In bytes, as they take memory.
const (
	maxMessages     = 16 << 20
	maxMessagesFrom = 4 << 20 // of one peer
)

// messageFeed hands out messages to programs that listen.
type messageFeed struct {
	mu      sync.Mutex // held for moments only
	readers map[*messageReader]struct{}
}

// messageReader is one of them, and what waits for it.
type messageReader struct {
	commands []string // none: all
	waiting  []waitingMessage
	bytes    int
	from     map[string]int // bytes, by peer
	more     chan struct{}  // has a value when something waits
	left     chan struct{}  // closed when it wants no more
}

type waitingMessage struct {
	PeerMessage
	size int
}

func newMessageFeed() *messageFeed {
	return &messageFeed{readers: make(map[*messageReader]struct{})}
}

// listen begins to keep messages for a reader.
func (f *messageFeed) listen(commands []string) *messageReader {
	r := &messageReader{commands: commands, from: make(map[string]int), more: make(chan struct{}, 1), left: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers[r] = struct{}{}
	return r
}

// leave ends that.
func (f *messageFeed) leave(r *messageReader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, reads := f.readers[r]; reads {
		delete(f.readers, r)
		r.waiting = nil
		close(r.left)
	}
}

// mixes reports whether anybody listens to mixing messages.
func (f *messageFeed) mixes() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.readers {
		if len(r.commands) == 0 || slices.ContainsFunc(r.commands, isMix) {
			return true
		}
	}
	return false
}

func isMix(command string) bool { return command != wire.CmdInitState && peer.Passes(command) }

// send hands a message to all who listen to its kind. It reports whether all of them had
// room for it.
func (f *messageFeed) send(m PeerMessage, size int) (all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all = true
	for r := range f.readers {
		if len(r.commands) == 0 || slices.Contains(r.commands, m.Message.Command()) {
			all = r.add(waitingMessage{m, size}) && all
		}
	}
	return all
}

// add keeps a message if there is room for it.
func (r *messageReader) add(m waitingMessage) bool {
	if r.bytes+m.size > maxMessages || r.from[m.Peer]+m.size > maxMessagesFrom {
		return false
	}
	r.waiting = append(r.waiting, m)
	r.bytes += m.size
	r.from[m.Peer] += m.size
	select {
	case r.more <- struct{}{}:
	default:
	}
	return true
}

// take returns the first message that waits, if there is one.
func (f *messageFeed) take(r *messageReader) (m PeerMessage, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(r.waiting) == 0 {
		return m, false
	}
	first := r.waiting[0]
	r.waiting[0] = waitingMessage{}
	r.waiting = r.waiting[1:]
	r.bytes -= first.size
	if r.from[first.Peer] -= first.size; r.from[first.Peer] == 0 {
		delete(r.from, first.Peer)
	}
	return first.PeerMessage, true
}

// Messages returns the messages of peers that the Syncer has no use for itself, from now
// on until ctx ends or the loop over them is left: those of the commands, or all if none
// are given. They are
//
//   - mixing messages that peers announce (protocol version 10): each is fetched once, from
//     one peer after the other until one has it;
//   - the answers to Send: initstate, and mixing messages.
//
// Others are never returned. There may be any number of readers. What waits for one is at
// most 16 MiB, and 4 MiB from each peer; more is lost, and delays nobody. There is one loop
// for each call: another one over the same messages ends with it. Mixing messages
// come once the initial sync is complete, and not with Config.NoRelay. While nobody
// listens to them none are fetched.
func (s *Syncer) Messages(ctx context.Context, commands ...string) iter.Seq[PeerMessage] {
	r := s.messages.listen(slices.Clone(commands))
	stop := context.AfterFunc(ctx, func() { s.messages.leave(r) })
	return func(yield func(PeerMessage) bool) {
		defer s.messages.leave(r)
		defer stop()
		for ctx.Err() == nil {
			if m, ok := s.messages.take(r); ok {
				if !yield(m) {
					return
				}
				continue
			}
			select {
			case <-r.more:
			case <-r.left:
				return
			}
		}
	}
}
