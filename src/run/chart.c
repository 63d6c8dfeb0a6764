/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Axes, ticks, lines and a legend; see chart.h.
 */
#include "run/chart.h"

#include "base/error.h"

#include <math.h>

enum { LEFT = 76, RIGHT = 24, TOP = 36, BETWEEN = 60, BOTTOM = 52, FONT = 14, TICK = 6, ENTRY = 18, LABEL = 32 };
static const unsigned ink = 0x303030, pale = 0xdddddd;

/* After Wong, Points of view: Color blindness, Nature Methods 2011; black comes last. */
unsigned mdm_chart_color(int i)
{
    static const unsigned color[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9, 0x000000};

    return color[i % (int)MDM_LENGTH(color)];
}

unsigned mdm_chart_light(unsigned color)
{
    unsigned light = 0;

    for (int k = 0; k < 24; k += 8)
        light |= (((color >> k & 0xff) + 2 * 0xff) / 3) << k;
    return light;
}

/* ---- ranges ---- */

struct range {
    double low, high;
    int log;
};

static void widen(struct range *r, double x)
{
    r->low = x < r->low ? x : r->low;
    r->high = x > r->high ? x : r->high;
}

static int is_seen(const struct mdm_point *p, int log)
{
    return isfinite(p->x) && isfinite(p->y) && (!log || p->y > 0);
}

static void find_range(struct range *x, struct range *y, const struct mdm_chart_panel *panel, int log)
{
    for (int k = 0; k < panel->count; k++)
        for (int64_t i = 0; i < panel->series[k].count; i++)
            if (is_seen(&panel->series[k].point[i], log)) {
                widen(x, panel->series[k].point[i].x);
                widen(y, panel->series[k].point[i].y);
            }
}

/* Something to look at, also where there is one point or none. */
static void settle(struct range *r)
{
    if (!(r->low <= r->high))
        *r = (struct range){r->log ? 0.1 : 0, 1, r->log};
    if (r->low == r->high) {
        const double room = r->high != 0 ? fabs(r->high) / 10 : 1;

        r->low -= room;
        r->high += room;
    }
}

static void plan_y(struct range *y, const struct mdm_chart_panel *panel)
{
    struct range x = {INFINITY, -INFINITY, 0}, positive = x;
    double room;

    *y = x;
    find_range(&x, y, panel, 0);
    find_range(&x, &positive, panel, 1);
    if (panel->scale == MDM_CHART_LOG || (panel->scale == MDM_CHART_AUTO && y->low > 0 && y->high > 10 * y->low)) {
        *y = positive;
        y->log = 1;
    }
    settle(y);
    room = y->log ? pow(y->high / y->low, 0.03) : 0.03 * (y->high - y->low);
    y->low = y->log ? y->low / room : y->low - (y->low == 0 ? 0 : room);
    y->high = y->log ? y->high * room : y->high + room;
}

static double place_in(const struct range *r, double x)
{
    return r->log ? log(x / r->low) / log(r->high / r->low) : (x - r->low) / (r->high - r->low);
}

/* The distance of ticks that cut a range in about `wanted` parts: 1, 2 or 5 times a power of ten. */
static double choose_step(double range, int wanted)
{
    const double rough = range / wanted, power = pow(10, floor(log10(rough)));
    const double part = rough / power;

    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

/* "0.05", "20k", "1.5P" */
static void describe(char out[32], double x)
{
    static const char *const prefix[] = {"", "k", "M", "G", "T", "P", "E", "Z"};
    size_t i = 0;

    for (; fabs(x) >= (i ? 1000 : 10000) && i + 1 < MDM_LENGTH(prefix); i++)
        x /= 1000;
    mdm_format(out, 32, "%.4g%s", fabs(x) < 1e-12 ? 0 : x, prefix[i]);
}

/* ---- one panel ---- */

struct frame {
    struct mdm_canvas *canvas;
    double left, top, right, bottom;
    struct range x, y;
};

static struct mdm_point place(const struct frame *f, double x, double y)
{
    return (struct mdm_point){f->left + (f->right - f->left) * place_in(&f->x, x),
                              f->bottom - (f->bottom - f->top) * place_in(&f->y, y)};
}

static void segment(const struct frame *f, double x0, double y0, double x1, double y1, unsigned color)
{
    const struct mdm_point p[] = {{x0, y0}, {x1, y1}};

    f->canvas->kind->line(f->canvas, p, 2, color, 1);
}

static void words(const struct frame *f, double x, double y, enum mdm_anchor anchor, const char *text)
{
    f->canvas->kind->words(f->canvas, (struct mdm_point){x, y}, anchor, FONT, ink, text);
}

static void tick_x(const struct frame *f, double x)
{
    const double at = place(f, x, f->y.low).x;
    char text[32];

    describe(text, x);
    segment(f, at, f->top, at, f->bottom, pale);
    segment(f, at, f->bottom, at, f->bottom + TICK, ink);
    words(f, at, f->bottom + TICK + FONT, MDM_ANCHOR_MIDDLE, text);
}

static void tick_y(const struct frame *f, double y)
{
    const double at = place(f, f->x.low, y).y;
    char text[32];

    describe(text, y);
    segment(f, f->left, at, f->right, at, pale);
    segment(f, f->left - TICK, at, f->left, at, ink);
    words(f, f->left - TICK - 4, at + 0.35 * FONT, MDM_ANCHOR_END, text);
}

static void tick_evenly(const struct frame *f, const struct range *r, int wanted,
                        void (*tick)(const struct frame *f, double at))
{
    const double step = choose_step(r->high - r->low, wanted);

    for (double k = ceil(r->low / step - 1e-9); k * step <= r->high + 1e-9 * step; k++)
        tick(f, k * step);
}

/* Powers of ten, and 2 and 5 times them where they are few. */
static void tick_by_powers(const struct frame *f)
{
    const double decades = log10(f->y.high / f->y.low);
    const int stride = (int)ceil(decades / 8);

    for (int k = (int)floor(log10(f->y.low)); k <= log10(f->y.high); k++)
        for (int m = 1; m <= 5; m += m == 1 ? 1 : 3) {
            const double at = m * pow(10, k);

            if (at >= f->y.low && at <= f->y.high && k % stride == 0 && (m == 1 || decades < 3))
                tick_y(f, at);
        }
}

static void draw_series(const struct frame *f, const struct mdm_chart_series *s)
{
    enum { PIECE = 256 };
    struct mdm_point piece[PIECE];
    int64_t n = 0;

    for (int64_t i = 0; i < s->count; i++) {
        if (!is_seen(&s->point[i], f->y.log))
            continue;
        if (n == PIECE) {
            f->canvas->kind->line(f->canvas, piece, n, s->color, s->width);
            piece[0] = piece[n - 1];
            n = 1;
        }
        piece[n++] = place(f, s->point[i].x, s->point[i].y);
    }
    if (n == 1) /* a dot */
        piece[n++] = piece[0];
    if (n)
        f->canvas->kind->line(f->canvas, piece, n, s->color, s->width);
}

static void draw_legend(const struct frame *f, const struct mdm_chart_panel *panel)
{
    int row = 0;

    for (int k = 0; k < panel->count; k++) {
        const struct mdm_chart_series *s = &panel->series[k];
        const double y = f->top + ENTRY * (row + 0.8), x = f->right - 12;
        const struct mdm_point mark[] = {{x - 24, y}, {x, y}};

        if (!s->name)
            continue;
        f->canvas->kind->line(f->canvas, mark, 2, s->color, 3);
        words(f, x - LABEL, y + 0.35 * FONT, MDM_ANCHOR_END, s->name);
        row++;
    }
}

static void draw_panel(const struct frame *f, const struct mdm_chart_panel *panel)
{
    tick_evenly(f, &f->x, 7, tick_x);
    if (f->y.log)
        tick_by_powers(f);
    else
        tick_evenly(f, &f->y, 5, tick_y);
    for (int k = 0; k < panel->count; k++)
        draw_series(f, &panel->series[k]);
    segment(f, f->left, f->top, f->left, f->bottom, ink);
    segment(f, f->left, f->bottom, f->right, f->bottom, ink);
    words(f, f->left, f->top - 10, MDM_ANCHOR_START, panel->title);
    draw_legend(f, panel);
}

void mdm_chart_draw(struct mdm_canvas *canvas, const struct mdm_chart_panel *panel, int panels, const char *title)
{
    const double width = (double)canvas->width, height = (double)canvas->height;
    const double each = (height - TOP - BOTTOM - (panels - 1) * BETWEEN) / panels;
    struct range x = {INFINITY, -INFINITY, 0};
    struct frame f = {.canvas = canvas, .left = LEFT, .right = width - RIGHT};

    for (int k = 0; k < panels; k++) {
        struct range y = {INFINITY, -INFINITY, 0};

        find_range(&x, &y, &panel[k], 0);
    }
    settle(&x);
    f.x = x;
    for (int k = 0; k < panels; k++) {
        f.top = TOP + k * (each + BETWEEN);
        f.bottom = f.top + each;
        plan_y(&f.y, &panel[k]);
        draw_panel(&f, &panel[k]);
    }
    words(&f, (f.left + f.right) / 2, height - 8, MDM_ANCHOR_MIDDLE, title);
}
