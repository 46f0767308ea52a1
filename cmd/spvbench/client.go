package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"

	"dcrspv/cmd/spvbench/usage"
	"dcrspv/spv"
	"dcrspv/spv/spvtest"
	"dcrspv/wallet"

	"github.com/decred/dcrd/chaincfg/v3"
)

// clientSpec is what a measured client is told. The rival is told the same.
type clientSpec struct {
	Dir        string   // of the chain data
	Wallet     string   // file of the wallet
	Connect    []string // the peers
	XPub       string   // watched by the first wallet, if not empty
	Scripts    int      // so many scripts of nobody are watched as well
	More       int      // so many wallets more, each with as many scripts of its own
	From       uint32   // birthday of what is watched
	Follow     int      // payments to wait for once synced
	Checksums  bool     // the bare work only: hash each message too
	CPUProfile string   // file, or none
	MemProfile string   // file, or none
}

// clientResult is what it says in the end, on its standard output. Before that
// it writes an empty line when it is synced.
type clientResult struct {
	Synced     time.Time
	Watching   float64 // seconds that it took to fill the watch set
	ScanCPU    float64 // CPU seconds from there until it was synced
	Goroutines int     // when it was synced
	Holdings   holdings
	Mallocs    uint64 // allocations
	AllocBytes uint64
	PeakRSS    int64 // bytes, all resident pages, also those of mapped files
	PeakAnon   int64 // bytes, without pages of files
	Received   int64 // bytes
	Requests   spv.Requests
	Phases     spv.Seconds
	Followed   []time.Time // when each payment was told
	FollowCPU  float64     // CPU seconds from when it was synced until the last one
}

// runClient is the measured process: the library as a program embeds it.
func runClient(spec clientSpec, out io.Writer) (err error) {
	if spec.CPUProfile != "" {
		stop, err := startCPUProfile(spec.CPUProfile)
		if err != nil {
			return err
		}
		defer stop()
	}
	anon := usage.WatchAnon()
	params := chaincfg.SimNetParams()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w, err := wallet.Open(spec.Wallet, params)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	begun := time.Now()
	if err := watch(ctx, w, spec, 0); err != nil {
		return err
	}
	wallets := []spv.Wallet{w}
	for i := range spec.More {
		more, err := wallet.Open(spec.Wallet+"-"+strconv.Itoa(i), params)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, more.Close()) }()
		if err := watch(ctx, more, spec, i+1); err != nil {
			return err
		}
		wallets = append(wallets, more)
	}
	r := clientResult{Watching: time.Since(begun).Seconds(), ScanCPU: -usage.CPUSeconds()}
	s, err := spv.New(spv.Config{
		Params:  params,
		DataDir: spec.Dir,
		Wallets: wallets,
		Connect: spec.Connect,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()

	err = measure(ctx, &r, s, w, spec, out)
	if spec.MemProfile != "" {
		err = errors.Join(err, writeMemProfile(spec.MemProfile))
	}
	cancel()
	err = errors.Join(err, <-done)
	if err != nil {
		return err
	}
	r.PeakAnon, r.PeakRSS = anon(), usage.PeakRSS()
	return json.NewEncoder(out).Encode(r)
}

// watch fills the watch set of one of the wallets. Watching again is harmless.
func watch(ctx context.Context, w *wallet.Wallet, spec clientSpec, which int) error {
	what := wallet.Watch{From: spec.From}
	if spec.XPub != "" && which == 0 {
		what.XPubs = []string{spec.XPub}
	}
	for i := range spec.Scripts {
		what.Scripts = append(what.Scripts, spvtest.Script(uint32(which*spec.Scripts+i)))
	}
	if len(what.XPubs)+len(what.Scripts) == 0 {
		return nil
	}
	return w.Watch(ctx, what)
}

// measure waits for what is measured and takes it down.
func measure(ctx context.Context, r *clientResult, s *spv.Syncer, w *wallet.Wallet, spec clientSpec, out io.Writer) error {
	if err := s.Wait(ctx, spv.Synced); err != nil {
		return err
	}
	r.Synced = time.Now()
	r.ScanCPU += usage.CPUSeconds()
	r.Goroutines = runtime.NumGoroutine()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	r.Mallocs, r.AllocBytes = mem.Mallocs, mem.TotalAlloc
	last, err := w.LastEvent(ctx)
	if err != nil {
		return err
	}
	if _, err := out.Write([]byte("\n")); err != nil {
		return err
	}
	r.FollowCPU = -usage.CPUSeconds()
	if err := follow(ctx, r, w, last, spec.Follow); err != nil {
		return err
	}
	r.FollowCPU += usage.CPUSeconds()
	st := s.Status()
	r.Received, r.Requests, r.Phases = st.ReceivedBytes, st.Requests, st.Seconds
	return r.Holdings.take(ctx, w)
}

// take asks the wallet.
func (h *holdings) take(ctx context.Context, w *wallet.Wallet) error {
	balance, err := w.Balance(ctx)
	if err != nil {
		return err
	}
	history, err := w.History(ctx)
	if err != nil {
		return err
	}
	h.Balance, h.Transactions = int64(balance.Total), len(history)
	return nil
}

// follow takes down when the next n payments after an event are told.
func follow(ctx context.Context, r *clientResult, w *wallet.Wallet, last uint64, n int) error {
	if n == 0 {
		return nil
	}
	for ev, err := range w.Events(ctx, last) {
		if err != nil {
			return err
		}
		if ev.Kind == wallet.EventMined {
			r.Followed = append(r.Followed, time.Now())
		}
		if len(r.Followed) == n {
			break
		}
	}
	return nil
}

func startCPUProfile(path string) (stop func(), err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

func writeMemProfile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// size is how many bytes the files in a directory have.
func size(dir string) (int64, error) {
	var sum int64
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if e.IsDir() {
			n, err := size(filepath.Join(dir, e.Name()))
			if err != nil {
				return 0, err
			}
			sum += n
			continue
		}
		info, err := e.Info()
		if err != nil {
			return 0, err
		}
		sum += info.Size()
	}
	return sum, nil
}
