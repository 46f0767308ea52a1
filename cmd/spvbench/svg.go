package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// The picture's measures, in pixels.
const (
	pictureWidth  = 720
	pictureHeight = 400
	marginLeft    = 80
	marginRight   = 190 // names of the lines
	marginTop     = 40
	marginBottom  = 50
)

// palette are the colours of lines and bars, told apart by the colour-blind
// (Okabe and Ito).
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#000000", "#f0e442"}

// series is a line of a picture.
type series struct {
	name   string
	points [][2]float64 // x and y, both above 0
}

// axis is a logarithmic axis from one power of ten to another.
type axis struct{ from, to float64 } // exponents

func axisOf(values []float64) axis {
	a := axis{math.Inf(1), math.Inf(-1)}
	for _, v := range values {
		a.from, a.to = min(a.from, math.Floor(math.Log10(v))), max(a.to, math.Ceil(math.Log10(v)))
	}
	if a.from == a.to {
		a.to++
	}
	return a
}

// at is where a value is, from 0 to 1.
func (a axis) at(v float64) float64 { return (math.Log10(v) - a.from) / (a.to - a.from) }

// drawing is a picture in the making.
type drawing struct{ strings.Builder }

func newDrawing(title string, height int) *drawing {
	d := new(drawing)
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", pictureWidth, height)
	fmt.Fprintf(d, `<rect width="%d" height="%d" fill="white"/>`+"\n", pictureWidth, height)
	d.text(marginLeft, 20, "start", title, `font-size="15"`)
	return d
}

func (d *drawing) text(x, y float64, anchor, text string, more ...string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`+"\n", x, y, anchor, strings.Join(more, " "), html.EscapeString(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, stroke string) {
	fmt.Fprintf(d, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, stroke)
}

func (d *drawing) end() string { return d.String() + "</svg>\n" }

// lineChart draws lines over two logarithmic axes, on which what is linear is
// straight and rises by one decade in each.
func lineChart(title, xName, yName string, lines []series) string {
	var xs, ys []float64
	for _, s := range lines {
		for _, p := range s.points {
			xs, ys = append(xs, p[0]), append(ys, p[1])
		}
	}
	x, y := axisOf(xs), axisOf(ys)
	px := func(v float64) float64 {
		return marginLeft + x.at(v)*(pictureWidth-marginLeft-marginRight)
	}
	py := func(v float64) float64 {
		return pictureHeight - marginBottom - y.at(v)*(pictureHeight-marginTop-marginBottom)
	}
	d := newDrawing(title, pictureHeight)
	left, right := px(math.Pow10(int(x.from))), px(math.Pow10(int(x.to)))
	bottom, top := py(math.Pow10(int(y.from))), py(math.Pow10(int(y.to)))
	for e := int(x.from); e <= int(x.to); e++ {
		v := math.Pow10(e)
		d.line(px(v), top, px(v), bottom, "#dddddd")
		d.text(px(v), bottom+18, "middle", tick(v))
	}
	for e := int(y.from); e <= int(y.to); e++ {
		v := math.Pow10(e)
		d.line(left, py(v), right, py(v), "#dddddd")
		d.text(left-8, py(v)+4, "end", tick(v))
	}
	d.text((left+right)/2, pictureHeight-10, "middle", xName)
	d.text(18, (top+bottom)/2, "middle", yName, fmt.Sprintf(`transform="rotate(-90 18 %.1f)"`, (top+bottom)/2))
	for i, s := range lines {
		colour := palette[i%len(palette)]
		var path strings.Builder
		for _, p := range s.points {
			fmt.Fprintf(&path, "%.1f,%.1f ", px(p[0]), py(p[1]))
			fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", px(p[0]), py(p[1]), colour)
		}
		fmt.Fprintf(d, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.TrimSpace(path.String()), colour)
		d.text(right+12, top+16+float64(18*i), "start", s.name, fmt.Sprintf(`fill="%s"`, colour))
	}
	return d.end()
}

// tick is a power of ten in words.
func tick(v float64) string {
	if v >= 1 {
		return thousands(int(v + 0.5))
	}
	return fmt.Sprintf("%g", v)
}

// bar is a stack of shares.
type bar struct {
	name   string
	shares []share
}

// barChart draws stacks of shares side by side, each as a part of its whole.
func barChart(title string, bars []bar) string {
	const barHeight, legend = 46, 18
	var names []string
	index := make(map[string]int)
	for _, b := range bars {
		for _, s := range b.shares {
			if _, ok := index[s.Of]; !ok {
				index[s.Of] = len(names)
				names = append(names, s.Of)
			}
		}
	}
	height := marginTop + max(barHeight*len(bars), legend*len(names)) + 20
	d := newDrawing(title, height)
	width := float64(pictureWidth - marginLeft - marginRight)
	for i, b := range bars {
		var total, at float64
		for _, s := range b.shares {
			total += s.Seconds
		}
		y := float64(marginTop + barHeight*i)
		for _, s := range b.shares {
			w := s.Seconds / total * width
			fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"><title>%s: %.2f s</title></rect>`+"\n",
				marginLeft+at, y, w, barHeight-14, palette[index[s.Of]%len(palette)], html.EscapeString(s.Of), s.Seconds)
			if w > 40 {
				d.text(marginLeft+at+w/2, y+20, "middle", fmt.Sprintf("%.2f s", s.Seconds), `fill="white"`)
			}
			at += w
		}
		d.text(marginLeft-8, y+20, "end", b.name)
	}
	for i, name := range names {
		y := float64(marginTop + legend*i)
		fmt.Fprintf(d, `<rect x="%d" y="%.1f" width="12" height="12" fill="%s"/>`+"\n", pictureWidth-marginRight+12, y, palette[i%len(palette)])
		d.text(pictureWidth-marginRight+30, y+11, "start", name)
	}
	return d.end()
}
