package usermgmt

// Forgetful makes names forget all others whenever they read some.
func (n *HostNames) Forgetful() *HostNames {
	n.room = 0
	return n
}
