/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a chart is drawn on: lines and words, kept as SVG or laid down in pixels. Places are pixels from the upper
 * left corner. Drawing cannot fail for who draws: what went wrong is told at the end.
 */
#ifndef MASKDM_RUN_CANVAS_H
#define MASKDM_RUN_CANVAS_H

#include "os/file.h"

#include <stdint.h>

struct mdm_point {
    double x, y;
};

enum mdm_anchor { MDM_ANCHOR_START, MDM_ANCHOR_MIDDLE, MDM_ANCHOR_END };

struct mdm_canvas;

struct mdm_canvas_class {
    /* A polyline; color 0xRRGGBB. */
    void (*line)(struct mdm_canvas *c, const struct mdm_point *p, int64_t count, unsigned color, double width);
    /* One line of words, whose letters stand at `at`. */
    void (*words)(struct mdm_canvas *c, struct mdm_point at, enum mdm_anchor anchor, double size, unsigned color,
                  const char *text);
    /* Write the file, or tell of the first failure. Frees the canvas in every case. */
    int (*finish)(struct mdm_canvas *c, struct mdm_writer **writer);
};

struct mdm_canvas {
    const struct mdm_canvas_class *kind;
    int64_t width, height;
};

/* A white one. */
int mdm_canvas_svg(struct mdm_canvas **out, int64_t width, int64_t height);
int mdm_canvas_png(struct mdm_canvas **out, int64_t width, int64_t height);

#endif
