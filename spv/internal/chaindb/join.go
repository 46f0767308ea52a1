package chaindb

import "dcrspv/spv/chain"

// dropDetached drops what was set aside.
func (r *reader) dropDetached() error {
	if r.detached == nil {
		return nil
	}
	first, _ := segmentOf(r.detached.from)
	last, _ := segmentOf(r.detached.tip.Height)
	r.setDetached(nil)
	if err := deleteSegments(r.tx.Bucket(headersBucket), first, last); err != nil {
		return err
	}
	return deleteSegments(r.tx.Bucket(filtersBucket), first, last)
}

// join looks for the place where the detached part follows headers that begin at a
// height. It returns the headers below it, and whether there is such a place. If other
// headers are there, the detached part is dropped.
func (r *reader) join(from uint32, headers []chain.Header) (below []chain.Header, joins bool, err error) {
	s := r.detached
	if s == nil || from+uint32(len(headers)) < s.from {
		return headers, false, nil
	}
	if from < s.from {
		value, count, readErr := r.segmentOfHeaders(s.from / segmentBlocks)
		below = headers[:s.from-from]
		if readErr == nil && count > 0 && headerAt(value, 0).PrevBlock() == below[len(below)-1].Hash() {
			return below, true, nil
		}
	}
	return headers, false, r.dropDetached()
}
