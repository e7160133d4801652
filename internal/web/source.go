package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// Source is the address that a request comes from. What a proxy says about it
// counts only when the proxy is one of ours: the last address in the list that
// is not is the client.
func (s *Site) Source(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.isProxy(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
	}
	return addr
}

func (s *Site) isProxy(addr netip.Addr) bool {
	for _, p := range s.Proxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func (s *Site) sourceText(r *http.Request) string {
	if addr := s.Source(r); addr.IsValid() {
		return addr.String()
	}
	return ""
}
