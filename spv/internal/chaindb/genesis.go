package chaindb

import (
	"bytes"
	"errors"
	"fmt"

	"dcrspv/spv/chain"

	"github.com/decred/dcrd/gcs/v4/blockcf2"
	"github.com/decred/dcrd/wire"
	"go.etcd.io/bbolt"
)

// putGenesis stores the genesis block as all there is of the lowest segment.
func putGenesis(tx *bbolt.Tx, genesis *chain.Header, filter []byte) error {
	r := records{filter}
	return errors.Join(
		put(tx, headersBucket, segmentKey(0), bytes.Clone(genesis[:])),
		put(tx, filtersBucket, segmentKey(0), r.append(nil)),
	)
}

// genesisOf returns the header and the filter of the genesis block, which is made from
// the block itself. Neither is nil.
func genesisOf(rules *chain.Rules) (chain.Header, []byte) {
	genesis, _ := rules.Genesis()
	filter, err := blockcf2.Regular(rules.Params().GenesisBlock, noPrevScripts{})
	if err != nil {
		panic(fmt.Sprintf("filter of the genesis block: %v", err)) // the parameters are part of the program
	}
	return genesis, append([]byte{}, filter.Bytes()...)
}

// noPrevScripts are the scripts that the genesis block spends: it has no inputs
// but the coinbase's.
type noPrevScripts struct{}

// PrevScript satisfies blockcf2.PrevScripter.
func (noPrevScripts) PrevScript(*wire.OutPoint) (uint16, []byte, bool) { return 0, nil, false }
