package positivepay

// Redraw is what is done to a picture of the host.
var Redraw = redraw
