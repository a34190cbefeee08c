package docstore

import "strconv"

// node is a value being changed. It keeps its raw bytes until something inside it changes;
// only the documents and arrays along the changed paths are taken apart.
type node struct {
	raw  val
	kids []kid
	open bool // kids are valid and raw is stale
}

type kid struct {
	key string
	*node
}

func newNode(v val) *node { return &node{raw: v} }

// unfold takes a document or array apart.
func (n *node) unfold() {
	if n.open || n.raw.Type != tDoc && n.raw.Type != tArray {
		return
	}
	fs := fields(n.raw.Data)
	nodes := make([]node, len(fs))
	n.open, n.kids = true, make([]kid, len(fs), len(fs)+2)
	for i, f := range fs {
		nodes[i].raw = f.val
		n.kids[i] = kid{f.key, &nodes[i]}
	}
}

func (n *node) isDoc() bool   { return n.raw.Type == tDoc }
func (n *node) isArray() bool { return n.raw.Type == tArray }

// find gives the field or element, or nil.
func (n *node) find(key string) *node {
	n.unfold()
	if n.isArray() {
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.kids) {
			return n.kids[i].node
		}
		return nil
	}
	for _, k := range n.kids {
		if k.key == key {
			return k.node
		}
	}
	return nil
}

// set replaces or appends a field; an array is filled up with nulls to the index.
func (n *node) set(key string, v *node) {
	n.unfold()
	for i := range n.kids {
		if n.isDoc() && n.kids[i].key == key {
			n.kids[i].node = v
			return
		}
	}
	if n.isArray() {
		i, _ := strconv.Atoi(key)
		check(i < 1500000, 2, "can't backfill more than 1500000 elements")
		for len(n.kids) <= i {
			n.kids = append(n.kids, kid{"", newNode(vNull)})
		}
		n.kids[i].node = v
		return
	}
	n.kids = append(n.kids, kid{key, v})
}

// unset removes a field; an element of an array becomes null, as in MongoDB.
func (n *node) unset(key string) bool {
	n.unfold()
	if n.isArray() {
		if e := n.find(key); e != nil {
			changed := e.raw.Type != tNull
			*e = node{raw: vNull}
			return changed
		}
		return false
	}
	for i, k := range n.kids {
		if k.key == key {
			n.kids = append(n.kids[:i:i], n.kids[i+1:]...)
			return true
		}
	}
	return false
}

// value writes the node back to bytes.
func (n *node) value() val {
	if !n.open {
		return n.raw
	}
	b := newDoc()
	for i, k := range n.kids {
		key := k.key
		if n.isArray() {
			key = strconv.Itoa(i)
		}
		b.add(key, k.value())
	}
	return val{Type: n.raw.Type, Data: b.done()}
}

// String shows the value in messages.
func (n *node) String() string { return n.value().String() }

// replace makes the node hold v.
func (n *node) replace(v val) { *n = node{raw: v} }
