package chain

// ErrorKind tells errors of this package apart: errors.Is(err, ErrBits). All of them
// except ErrOrphan, ErrFuture, ErrLowWork and ErrSource prove that the maker of the data
// broke a rule.
type ErrorKind string

// Error makes ErrorKind an error.
func (k ErrorKind) Error() string { return string(k) }

const (
	// ErrLink: a header does not follow the one before it in its batch.
	ErrLink = ErrorKind("header does not link to its predecessor")
	// ErrHeight: a header has another height than its place in the chain.
	ErrHeight = ErrorKind("wrong height")
	// ErrProofOfWork: the work hash is above the target, or the target is not
	// a number from 1 to the network's limit.
	ErrProofOfWork = ErrorKind("insufficient proof of work")
	// ErrBits: the target is not the one that the preceding headers demand.
	ErrBits = ErrorKind("wrong difficulty")
	// ErrStakeDiff: the ticket price is not the one that the preceding headers
	// demand.
	ErrStakeDiff = ErrorKind("wrong ticket price")
	// ErrMedianTime: the time is not after the median of the last 11 blocks.
	ErrMedianTime = ErrorKind("time not after the median of the blocks before")
	// ErrSpacing: less than a minute after the parent at the highest difficulty
	// that testnet has.
	ErrSpacing = ErrorKind("too soon after the block before")
	// ErrVotes: a number of votes that the height does not allow.
	ErrVotes = ErrorKind("wrong number of votes")
	// ErrRevocations: revocations before there are votes that could be missed.
	ErrRevocations = ErrorKind("revocations too early")
	// ErrVoteBits: vote bits other than approval before there are votes.
	ErrVoteBits = ErrorKind("wrong vote bits")
	// ErrFinalState: a state of the ticket lottery before it begins.
	ErrFinalState = ErrorKind("wrong lottery state")
	// ErrFreshStake: more tickets than one block may sell.
	ErrFreshStake = ErrorKind("too many tickets")
	// ErrVersion: a block version that most miners do not use any more.
	ErrVersion = ErrorKind("outdated block version")
	// ErrStakeVersion: not zero before votes could be counted, or a change
	// within an interval.
	ErrStakeVersion = ErrorKind("wrong stake version")
	// ErrCheckpoint: another block than the checkpoint at some height, or a branch
	// that leaves the chain below a checkpoint.
	ErrCheckpoint = ErrorKind("contradicts a checkpoint")
	// ErrBlockMismatch: the block belongs to another header.
	ErrBlockMismatch = ErrorKind("not the block of this header")
	// ErrBlockSize: the block is not as large as its header says, or the header
	// says a size that no block can have.
	ErrBlockSize = ErrorKind("wrong block size")
	// ErrMerkle: the header commits to other transactions.
	ErrMerkle = ErrorKind("wrong merkle root")
	// ErrFilter: the filter is not the one that the header commits to.
	ErrFilter = ErrorKind("wrong filter")

	// ErrFuture: more than two hours ahead of the given time. Not a proof of
	// fault: either clock may be wrong, and the header may be valid later.
	ErrFuture = ErrorKind("time too far in the future")
	// ErrOrphan: the parent of the first header is not known. Not a fault: ask
	// with a locator.
	ErrOrphan = ErrorKind("parent not known")
	// ErrLowWork: the branch has too little work for the memory that it needs.
	ErrLowWork = ErrorKind("not enough work to be kept")
	// ErrSource: the Source failed. A local failure, nobody's fault.
	ErrSource = ErrorKind("stored headers not readable")
)
