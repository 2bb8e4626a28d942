package jsonlogic

// Scope is what a rule is evaluated on: the attributes of one evaluation context.
type Scope interface {
	// Lookup returns a top-level attribute.
	Lookup(name Symbol) (Value, bool)
	// Object returns all attributes as one object. Only rules that ask for the whole context call it.
	Object() Value
}

// Attribute is a named value.
type Attribute struct {
	Name  Symbol
	Value Value

	word uint64 // of a text, see wordOf
}

// Attributes is the fast Scope: an immutable list of attributes, read without an interface call. The zero value and nil
// have no attributes.
type Attributes struct {
	list  []Attribute    // without repeated names
	index map[Symbol]int // only for more than linearAttributes
}

// linearAttributes is up to how many attributes comparing pointers in a row beats a map.
const linearAttributes = 16

// NewAttributes returns the attributes given; of several with one name the last wins. It keeps list, which must not be
// changed afterwards.
func NewAttributes(list ...Attribute) *Attributes {
	a := &Attributes{list: list}
	if len(list) > linearAttributes {
		a.index = make(map[Symbol]int, len(list))
	}
	kept := list[:0]
	for _, at := range list {
		at.word = wordOf(at.Value.Str())
		if i := a.find(kept, at.Name); i >= 0 {
			kept[i] = at
			continue
		}
		if a.index != nil {
			a.index[at.Name] = len(kept)
		}
		kept = append(kept, at)
	}
	a.list = kept
	return a
}

func (a *Attributes) find(list []Attribute, name Symbol) int {
	if a.index != nil {
		if i, ok := a.index[name]; ok {
			return i
		}
		return -1
	}
	for i := range list {
		if list[i].Name == name {
			return i
		}
	}
	return -1
}

// Lookup returns the attribute of the given name.
func (a *Attributes) Lookup(name Symbol) (Value, bool) {
	if a == nil {
		return Value{}, false
	}
	if i := a.find(a.list, name); i >= 0 {
		return a.list[i].Value, true
	}
	return Value{}, false
}

// Len returns the number of attributes.
func (a *Attributes) Len() int {
	if a == nil {
		return 0
	}
	return len(a.list)
}

// All returns the attributes. The slice must not be changed.
func (a *Attributes) All() []Attribute {
	if a == nil {
		return nil
	}
	return a.list
}

// Object returns all attributes as one object.
func (a *Attributes) Object() Value {
	if a == nil {
		return objectOf(nil)
	}
	members := make([]Member, len(a.list))
	for i, at := range a.list {
		members[i] = Member{Key: at.Name.Name(), Value: at.Value}
	}
	sortMembers(members)
	return objectOf(members)
}

// named is Lookup for a name that is not interned.
func (a *Attributes) named(name string) (Value, bool) {
	for i := range a.list {
		if a.list[i].Name.Name() == name {
			return a.list[i].Value, true
		}
	}
	return Value{}, false
}
