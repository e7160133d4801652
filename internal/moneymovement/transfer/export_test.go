package transfer

import (
	"context"

	"mandate/internal/host"
)

// Hear lets a test be a host that answers late, or twice.
func (s *Service) Hear(ctx context.Context, o host.Order, r host.Receipt) error {
	return s.settled(ctx, o, r)
}
