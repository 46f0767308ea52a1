// Package addrbook remembers addresses of Decred nodes that were heard of.
package addrbook

import _ "github.com/decred/dcrd/addrmgr/v3"
