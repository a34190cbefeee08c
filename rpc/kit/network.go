package kit

import "net/netip"

// Network is the address by which a visitor is counted: an IPv4 address, or the /64 that
// one household or server has in IPv6. What is no address is counted as it is.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	p, _ := a.Prefix(64) // fits every IPv6 address
	return p.String()
}
