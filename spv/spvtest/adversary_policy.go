package spvtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/decred/dcrd/wire"
)

// Policy is how an adversary behaves for a while. It is drawn, or it is a
// variation of one that did well: see [Memory].
type Policy struct {
	Claims    Claim         // the height that it states
	Announces bool          // tells of new blocks as an honest peer does
	Serves    bool          // has the filters and blocks of its side branches too
	Renews    bool          // hangs up when it begins, so that its claim is a new one
	Bandwidth int           // bytes a second; 0 is no limit
	Dial      time.Duration // until a connection is made
	Mute      bool          // never says a word on new connections
	Lasts     time.Duration // how long it is in force
	Pace      time.Duration // between what it does by itself
	Rules     []Rule
}

// Claim is a height in relation to that of the chain, or by itself.
type Claim struct {
	Over  int32 // added to the true height
	Total int32 // in place of it, if not 0
}

// Rule is one thing that may be done at a trigger. Of several rules one is drawn
// by weight; without any the answer is honest and immediate.
type Rule struct {
	On     Trigger
	Do     Choice
	N      int           // how many, how far or how deep: depends on the choice
	Delay  time.Duration // from the trigger until it is done
	Weight int
}

// Trigger is an occasion to do something.
type Trigger string

const (
	OnConnect Trigger = "connect"    // the handshake is complete
	OnHeaders Trigger = "getheaders" // a request has come
	OnFilters Trigger = "getcfilters"
	OnData    Trigger = "getdata"
	OnPing    Trigger = "ping"
	ByItself  Trigger = "itself" // the pace of the policy says so
)

// Choice is something that a peer does. All of it is well formed.
type Choice string

// Answers. Those that are not to a kind of request are no choice for it.
const (
	Honest   Choice = "honest"
	Silence  Choice = "silence"
	HangUp   Choice = "hang up"
	Empty    Choice = "empty"     // a message with nothing in it
	Part     Choice = "part"      // the first N of the honest answer
	Half     Choice = "half"      // filters: the first half
	Repeated Choice = "repeated"  // the answer before this one
	Older    Choice = "older"     // shifted: N blocks lower than asked for
	Later    Choice = "later"     // shifted: N blocks higher
	Walk     Choice = "walk"      // headers: the N after those of its last answer, from genesis on, whatever was asked
	Side     Choice = "side"      // headers: a branch that leaves the chain N blocks below the tip
	NotFound Choice = "not found" // whatever was asked for
)

// What it does by itself, or when a client has connected.
const (
	TellTip     Choice = "tell tip"     // by headers
	TellOld     Choice = "tell old"     // headers from N blocks below the tip
	TellSide    Choice = "tell side"    // headers of a branch that leaves N blocks below the tip
	TellOrphan  Choice = "tell orphan"  // the last header of such a branch alone
	InvTip      Choice = "inv tip"      // by inv
	InvOld      Choice = "inv old"      // the block N below the tip
	InvUnknown  Choice = "inv unknown"  // N blocks that are nowhere
	InvSide     Choice = "inv side"     // the tip of a branch that leaves N blocks below the tip
	TellTxs     Choice = "tell txs"     // N transactions, which it has
	Unasked     Choice = "unasked"      // a block, filters and headers that nobody asked for
	Away        Choice = "away"         // hangs up, and is away for N seconds
	FloodInv    Choice = "flood inv"    // N messages of 200 blocks that are nowhere
	FloodTxs    Choice = "flood txs"    // N messages of 200 transactions that are nowhere
	FloodKnown  Choice = "flood known"  // N messages of 100 headers that everybody has
	FloodAddrs  Choice = "flood addrs"  // N messages of 200 addresses
	FloodPings  Choice = "flood pings"  // N of them
	FloodAsking Choice = "flood asking" // N getdata of 200 transactions that are nowhere
	FloodGets   Choice = "flood gets"   // N each of getheaders, getaddr and getinitstate
	FloodOther  Choice = "flood other"  // N messages of a command that nobody knows
)

// choices are what there is to choose from at a trigger. What is named twice is
// drawn twice as often.
var choices = map[Trigger][]Choice{
	OnHeaders: {Honest, Honest, Silence, HangUp, Empty, Part, Repeated, Older, Later, Walk, Walk, Side},
	OnFilters: {Honest, Honest, Silence, HangUp, Empty, Part, Half, Repeated, Older, Later},
	OnData:    {Honest, Honest, Silence, HangUp, Part, Repeated, Older, NotFound},
	OnPing:    {Honest, Honest, Honest, Silence, HangUp},
	OnConnect: byItself,
	ByItself:  append([]Choice{HangUp, HangUp}, byItself...),
}

var byItself = []Choice{TellTip, TellOld, TellSide, TellOrphan, InvTip, InvOld, InvUnknown, InvSide, TellTxs, Unasked, Away,
	FloodInv, FloodTxs, FloodKnown, FloodAddrs, FloodPings, FloodAsking, FloodGets, FloodOther}

// triggers in the order in which rules are drawn for them.
var triggers = []Trigger{OnHeaders, OnFilters, OnData, OnPing, OnConnect, ByItself}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// span is a time between two.
func span(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)+1))
}

// drawPolicy draws one from all there are. limits are the times that the client
// goes by.
func drawPolicy(r *rand.Rand, limits []time.Duration) *Policy {
	p := &Policy{
		Claims:    drawClaim(r),
		Announces: r.IntN(3) > 0,
		Serves:    r.IntN(2) == 0,
		Renews:    r.IntN(2) == 0,
		Lasts:     drawLasts(r),
		Pace:      drawPace(r, limits),
	}
	if r.IntN(8) == 0 {
		p.Bandwidth = one(r, 100, 1000, 10_000)
	}
	if r.IntN(8) == 0 {
		p.Dial = drawDelay(r, limits)
	}
	p.Mute = r.IntN(30) == 0
	for _, on := range triggers {
		for range one(r, 0, 1, 1, 1, 2) {
			p.Rules = append(p.Rules, drawRule(r, on, limits))
		}
	}
	return p
}

func drawClaim(r *rand.Rand) Claim {
	return one(r, Claim{}, Claim{}, Claim{Over: 1}, Claim{Over: 5}, Claim{Over: 1000}, Claim{Total: 1_000_000},
		Claim{Over: -3}, Claim{Over: -6}, Claim{Over: -100})
}

// boasts are claims of what nobody has.
var boasts = []Claim{{Over: 1000}, {Total: 1_000_000}}

func drawLasts(r *rand.Rand) time.Duration { return span(r, 20*time.Second, 3*time.Minute) }

func drawPace(r *rand.Rand, limits []time.Duration) time.Duration {
	if r.IntN(2) == 0 {
		return span(r, time.Second, 20*time.Second)
	}
	return max(drawDelay(r, limits), 2*time.Second)
}

func drawRule(r *rand.Rand, on Trigger, limits []time.Duration) Rule {
	do := one(r, choices[on]...)
	return Rule{On: on, Do: do, N: drawN(r, do), Delay: drawDelay(r, limits), Weight: one(r, 1, 1, 3, 10)}
}

// drawN draws the number that belongs to a choice.
func drawN(r *rand.Rand, do Choice) int {
	switch do {
	case Walk, Part:
		return one(r, 1, 50, wire.MaxBlockHeadersPerMsg-1, wire.MaxBlockHeadersPerMsg, wire.MaxBlockHeadersPerMsg)
	case Side, TellSide, TellOrphan, InvSide, TellOld, InvOld, Older, Later:
		return one(r, 1, 2, 3, 6, 7, 20, 100, 300)
	case Away:
		return one(r, 1, 5, 20, 60, 300)
	case FloodAsking, FloodAddrs, FloodTxs:
		return one(r, 1, 2, 5)
	}
	return one(r, 1, 5, 20)
}

// drawDelay draws at once, a usual latency, or just under a limit.
func drawDelay(r *rand.Rand, limits []time.Duration) time.Duration {
	switch k := r.IntN(10); {
	case k < 2:
		return 0
	case k < 5 || len(limits) == 0:
		return span(r, 50*time.Millisecond, 250*time.Millisecond)
	}
	limit := one(r, limits...)
	return limit - min(span(r, time.Millisecond, 300*time.Millisecond), limit/10)
}

// crawl returns a policy that does nothing but answer, slowly: as this one does if it
// crawls already.
func (p *Policy) crawl(r *rand.Rand) *Policy {
	c := &Policy{Announces: true, Serves: true, Bandwidth: p.Bandwidth, Dial: p.Dial, Lasts: p.Lasts, Pace: p.Pace}
	if c.Bandwidth < leastCrawl || r.IntN(4) == 0 {
		c.Bandwidth = one(r, leastCrawl, leastCrawl+leastCrawl/2, 2*leastCrawl, 5*leastCrawl)
	}
	for _, rule := range p.Rules {
		if rule.On == OnHeaders || rule.On == OnFilters || rule.On == OnData {
			rule.Do = Honest
			c.Rules = append(c.Rules, rule)
		}
	}
	return c
}

// leastCrawl is how many bytes a second a crawling adversary sends at least.
const leastCrawl = 4500

// vary returns a policy that differs from p in a few points.
func (p *Policy) vary(r *rand.Rand, limits []time.Duration) *Policy {
	v := *p
	v.Rules = slices.Clone(p.Rules)
	for range 1 + r.IntN(3) {
		switch k := r.IntN(12); {
		case k == 0:
			v.Claims = drawClaim(r)
		case k == 1:
			v.Lasts = drawLasts(r)
		case k == 2:
			v.Pace = drawPace(r, limits)
		case k == 3:
			v.Renews = !v.Renews
		case k == 4:
			v.Serves, v.Announces = r.IntN(2) == 0, r.IntN(2) == 0
		case k == 5 && len(v.Rules) > 1:
			i := r.IntN(len(v.Rules))
			v.Rules = slices.Delete(v.Rules, i, i+1)
		case k < 8 || len(v.Rules) == 0:
			v.Rules = append(v.Rules, drawRule(r, one(r, triggers...), limits))
		default:
			rule := &v.Rules[r.IntN(len(v.Rules))]
			switch r.IntN(4) {
			case 0:
				rule.Delay = drawDelay(r, limits)
			case 1:
				rule.N = drawN(r, rule.Do)
			case 2:
				rule.Weight = one(r, 1, 3, 10)
			default:
				*rule = drawRule(r, rule.On, limits)
			}
		}
	}
	return &v
}

// rule draws what to do at a trigger.
func (p *Policy) rule(r *rand.Rand, on Trigger) (Rule, bool) {
	total := 0
	for _, rule := range p.Rules {
		if rule.On == on {
			total += rule.Weight
		}
	}
	if total == 0 {
		return Rule{}, false
	}
	k := r.IntN(total)
	for _, rule := range p.Rules {
		if rule.On != on {
			continue
		}
		if k -= rule.Weight; k < 0 {
			return rule, true
		}
	}
	panic("unreachable")
}

// height is what a policy claims about a chain of this height.
func (c Claim) height(tip uint32) int32 {
	if c.Total != 0 {
		return c.Total
	}
	return max(int32(tip)+c.Over, 1)
}

// String describes a policy in one line.
func (p *Policy) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "for %v", p.Lasts.Round(time.Second))
	switch {
	case p.Claims.Total != 0:
		fmt.Fprintf(&b, ", claims %d", p.Claims.Total)
	case p.Claims.Over != 0:
		fmt.Fprintf(&b, ", claims tip%+d", p.Claims.Over)
	}
	if !p.Announces {
		b.WriteString(", quiet")
	}
	if p.Serves {
		b.WriteString(", serves branches")
	}
	if p.Renews {
		b.WriteString(", begins anew")
	}
	if p.Mute {
		b.WriteString(", mute")
	}
	if p.Dial > 0 {
		fmt.Fprintf(&b, ", dialed in %v", p.Dial)
	}
	if p.Bandwidth > 0 {
		fmt.Fprintf(&b, ", %d B/s", p.Bandwidth)
	}
	fmt.Fprintf(&b, ", every %v:", p.Pace)
	for _, r := range p.Rules {
		fmt.Fprintf(&b, " [%s: %s %d after %v x%d]", r.On, r.Do, r.N, r.Delay, r.Weight)
	}
	return b.String()
}
