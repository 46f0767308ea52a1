package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/decred/dcrd/wire"
)

// errRefused is an answer of the node that says no, as opposed to a node that
// could not be reached.
var errRefused = errors.New("node refused")

// rpcClient calls a dcrd node's JSON-RPC server over plain HTTP on loopback.
type rpcClient struct {
	addr       string
	user, pass string
	http       http.Client
}

func newRPCClient(addr, user, pass string) *rpcClient {
	return &rpcClient{addr: addr, user: user, pass: pass, http: http.Client{Timeout: 30 * time.Second}}
}

func (c *rpcClient) call(result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "1.0", "id": 1, "method": method, "params": params,
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+c.addr, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.SetBasicAuth(c.user, c.pass)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var reply struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return fmt.Errorf("%s: %s: %q", method, resp.Status, raw)
	}
	if reply.Error != nil {
		return fmt.Errorf("%w: %s: %s", errRefused, method, reply.Error.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(reply.Result, result)
}

// tip is the end of a node's best chain.
type tip struct {
	Height uint32 `json:"height"`
	Hash   string `json:"hash"`
}

func (c *rpcClient) tip() (t tip, err error) {
	return t, c.call(&t, "getbestblock")
}

func (c *rpcClient) submitBlock(b *wire.MsgBlock) error {
	raw, err := b.Bytes()
	if err != nil {
		return err
	}
	var verdict *string
	if err := c.call(&verdict, "submitblock", hex.EncodeToString(raw)); err != nil {
		return err
	}
	if verdict != nil {
		return fmt.Errorf("%w: block %d: %s", errRefused, b.Header.Height, *verdict)
	}
	return nil
}

func (c *rpcClient) block(height uint32) (*wire.MsgBlock, error) {
	var hash, raw string
	if err := c.call(&hash, "getblockhash", height); err != nil {
		return nil, err
	}
	if err := c.call(&raw, "getblock", hash, false); err != nil {
		return nil, err
	}
	data, err := hex.DecodeString(raw)
	if err != nil {
		return nil, err
	}
	b := new(wire.MsgBlock)
	return b, b.FromBytes(data)
}

func (c *rpcClient) sendTx(tx *wire.MsgTx) error {
	raw, err := tx.Bytes()
	if err != nil {
		return err
	}
	return c.call(nil, "sendrawtransaction", hex.EncodeToString(raw))
}

// mempool returns the transactions of a type (dcrd's getrawmempool) waiting at the
// node, a transaction after those it spends from.
func (c *rpcClient) mempool(txType string) ([]*wire.MsgTx, error) {
	var waiting map[string]struct{ Depends []string }
	if err := c.call(&waiting, "getrawmempool", true, txType); err != nil {
		return nil, err
	}
	var txs []*wire.MsgTx
	done := make(map[string]bool)
	for progress := true; progress; {
		progress = false
		for id, info := range waiting {
			if done[id] || !allDone(info.Depends, waiting, done) {
				continue
			}
			tx, err := c.rawTx(id)
			if err != nil {
				return nil, err
			}
			txs = append(txs, tx)
			done[id], progress = true, true
		}
	}
	return txs, nil
}

func allDone[T any](ids []string, waiting map[string]T, done map[string]bool) bool {
	for _, id := range ids {
		if _, ok := waiting[id]; ok && !done[id] {
			return false
		}
	}
	return true
}

func (c *rpcClient) rawTx(id string) (*wire.MsgTx, error) {
	var raw string
	if err := c.call(&raw, "getrawtransaction", id); err != nil {
		return nil, err
	}
	return decodeTx(raw)
}

func decodeTx(s string) (*wire.MsgTx, error) {
	data, err := hex.DecodeString(s)
	if err != nil {
		return nil, err
	}
	tx := new(wire.MsgTx)
	return tx, tx.FromBytes(data)
}

// peerInfo is the part of getpeerinfo that tests look at.
type peerInfo struct {
	ID        int32  `json:"id"`
	Addr      string `json:"addr"`
	SubVer    string `json:"subver"`
	Version   uint32 `json:"version"`
	Inbound   bool   `json:"inbound"`
	ConnTime  int64  `json:"conntime"`
	BanScore  int32  `json:"banscore"`
	StartHigh int64  `json:"startingheight"`
}

func (c *rpcClient) peers() (p []peerInfo, err error) {
	return p, c.call(&p, "getpeerinfo")
}
