# SPDX-License-Identifier: BSD-2-Clause
"""A plot of several lines over logarithmic axes, as an SVG file: nothing but text is needed to make one."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 440, 64, 190, 34, 48
COLOURS = ("#1b6ca8", "#c8553d", "#3c8d40", "#8e5ea2", "#b8860b", "#30807f", "#d1638f", "#666666")
DASHES = ("", "6 3", "2 3")


class Axis:
    """Values to places between two ends, by their logarithms; `ticks` are round values within."""

    def __init__(self, values, start, end):
        low, high = min(values) / 1.08, max(values) * 1.08
        self.start, self.end = start, end
        self.low, self.high = math.log(low), math.log(high)
        self.ticks = self._ticks(low, high)

    @staticmethod
    def _ticks(low, high):
        for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
            found = [s * 10 ** k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
                     for s in steps if low <= s * 10 ** k <= high]
            if len(found) >= 3:
                return found
        return Axis._even_ticks(low, high)

    @staticmethod
    def _even_ticks(low, high):
        step = 10 ** math.floor(math.log10((high - low) / 3))
        step *= max(s for s in (1, 2, 5) if (high - low) / (s * step) >= 3)
        return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]

    def at(self, value):
        return self.start + (math.log(value) - self.low) / (self.high - self.low) * (self.end - self.start)


def text(x, y, words, anchor="start", more=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (x, y, anchor, more, escape(words))


def frame(x, y, title, x_name, y_name):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    out = ['<rect width="100%" height="100%" fill="white"/>', text(LEFT, 20, title, more=' font-weight="bold"')]
    for tick in x.ticks:
        out.append('<path d="M%.1f %dV%d" stroke="#ddd"/>' % (x.at(tick), TOP, bottom))
        out.append(text(x.at(tick), bottom + 16, "%g" % tick, "middle"))
    for tick in y.ticks:
        out.append('<path d="M%d %.1fH%d" stroke="#ddd"/>' % (LEFT, y.at(tick), right))
        out.append(text(LEFT - 6, y.at(tick) + 4, "%g" % float("%.3g" % tick), "end"))
    out.append('<path d="M%d %dV%dH%d" fill="none" stroke="black"/>' % (LEFT, TOP, bottom, right))
    out.append(text((LEFT + right) / 2, HEIGHT - 12, x_name, "middle"))
    middle = (TOP + bottom) / 2
    out.append(text(16, middle, y_name, "middle", ' transform="rotate(-90 16 %.1f)"' % middle))
    return out


def line(x, y, points, number):
    """points: (x, least, median, largest). Bars go from the least to the largest."""
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
    way = " ".join("%.1f,%.1f" % (x.at(p[0]), y.at(p[2])) for p in points)
    out = ['<polyline points="%s" fill="none" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>' % (way, colour, dash)]
    for at, least, median, largest in points:
        out.append('<path d="M%.1f %.1fV%.1f" stroke="%s"/>' % (x.at(at), y.at(least), y.at(largest), colour))
        out.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (x.at(at), y.at(median), colour))
    return out


def plot(title, x_name, y_name, lines):
    """The file's text. lines: {name: [(x, least, median, largest), ...]}"""
    every = [p for points in lines.values() for p in points]
    x = Axis([p[0] for p in every], LEFT, WIDTH - RIGHT)
    y = Axis([v for p in every for v in p[1:]], HEIGHT - BOTTOM, TOP)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' %
           (WIDTH, HEIGHT)] + frame(x, y, title, x_name, y_name)
    for number, (name, points) in enumerate(lines.items()):
        out += line(x, y, sorted(points), number)
        row = TOP + 10 + 18 * number
        out.append('<path d="M%d %dh22" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>' % (
            WIDTH - RIGHT + 12, row, COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]))
        out.append(text(WIDTH - RIGHT + 40, row + 4, name))
    return "\n".join(out + ["</svg>"]) + "\n"
