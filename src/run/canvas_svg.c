/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A chart as SVG.
 */
#include "run/canvas.h"

#include "base/alloc.h"
#include "base/error.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

struct svg {
    struct mdm_canvas base;
    struct mdm_text text;
};

/* To a hundredth of a pixel. */
static void add_number(struct mdm_text *t, double x)
{
    mdm_text_add_double(t, round(100 * x) / 100);
}

static void draw_line(struct mdm_canvas *canvas, const struct mdm_point *p, int64_t count, unsigned color,
                      double width)
{
    struct mdm_text *t = &((struct svg *)canvas)->text;

    mdm_text_addf(t, "<polyline fill=\"none\" stroke=\"#%06x\" stroke-width=\"", color);
    add_number(t, width);
    mdm_text_add(t, "\" stroke-linejoin=\"round\" stroke-linecap=\"round\" points=\"");
    for (int64_t i = 0; i < count; i++) {
        mdm_text_add(t, i ? " " : "");
        add_number(t, p[i].x);
        mdm_text_add(t, ",");
        add_number(t, p[i].y);
    }
    mdm_text_add(t, "\"/>\n");
}

/* A name may hold anything; what XML has no character for becomes a question mark. */
static void add_words(struct mdm_text *t, const char *s)
{
    for (size_t n = strlen(s), length; n; s += length, n -= length) {
        const unsigned char c = (unsigned char)*s;

        length = (size_t)mdm_utf8_length(s, n);
        if (c == '&' || c == '<' || c == '>')
            mdm_text_add(t, c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;");
        else if (!length || c < 0x20 || c == 0x7f)
            mdm_text_add(t, "?");
        else
            mdm_text_add_n(t, s, length);
        length += !length;
    }
}

static void draw_words(struct mdm_canvas *canvas, struct mdm_point at, enum mdm_anchor anchor, double size,
                       unsigned color, const char *words)
{
    static const char *const names[] = {"start", "middle", "end"};
    struct mdm_text *t = &((struct svg *)canvas)->text;

    mdm_text_add(t, "<text x=\"");
    add_number(t, at.x);
    mdm_text_add(t, "\" y=\"");
    add_number(t, at.y);
    mdm_text_addf(t, "\" text-anchor=\"%s\" font-size=\"", names[anchor]);
    add_number(t, size);
    mdm_text_addf(t, "\" fill=\"#%06x\">", color);
    add_words(t, words);
    mdm_text_add(t, "</text>\n");
}

static int finish(struct mdm_canvas *canvas, struct mdm_writer **writer)
{
    struct svg *c = (struct svg *)canvas;
    int status;

    mdm_text_add(&c->text, "</svg>\n");
    status = mdm_text_ok(&c->text);
    if (status == MASKDM_OK)
        status = mdm_writer_write(*writer, c->text.data, c->text.length);
    if (status == MASKDM_OK)
        status = mdm_writer_commit(writer);
    mdm_text_free(&c->text);
    mdm_free(c);
    return status;
}

int mdm_canvas_svg(struct mdm_canvas **out, int64_t width, int64_t height)
{
    static const struct mdm_canvas_class kind = {draw_line, draw_words, finish};
    struct svg *c = mdm_need(1, sizeof *c, "a chart");

    *out = NULL;
    if (!c)
        return MASKDM_ENOMEM;
    c->base = (struct mdm_canvas){&kind, width, height};
    mdm_text_addf(&c->text,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%lld\" height=\"%lld\" "
                  "viewBox=\"0 0 %lld %lld\" font-family=\"sans-serif\">\n"
                  "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
                  (long long)width, (long long)height, (long long)width, (long long)height);
    *out = &c->base;
    return MASKDM_OK;
}
