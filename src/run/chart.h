/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines over one axis, in panels one below the other.
 */
#ifndef MASKDM_RUN_CHART_H
#define MASKDM_RUN_CHART_H

#include "run/canvas.h"

struct mdm_chart_series {
    const char *name; /* in the legend; NULL: not there */
    unsigned color;
    double width;
    int64_t count;
    const struct mdm_point *point; /* by rising x; values that are not finite are left out */
};

enum mdm_chart_scale { MDM_CHART_AUTO, MDM_CHART_LINEAR, MDM_CHART_LOG };

struct mdm_chart_panel {
    const char *title;
    const struct mdm_chart_series *series;
    int count;
    enum mdm_chart_scale scale; /* of y; AUTO: LOG where values above 0 span more than a factor of ten */
};

/* All panels, as high as each other, over the same range of x, which `title` names. */
void mdm_chart_draw(struct mdm_canvas *canvas, const struct mdm_chart_panel *panel, int panels, const char *title);
/* The i-th of the colors for series, which eyes that see few colors can tell apart too. */
unsigned mdm_chart_color(int i);
/* The same, half way to white. */
unsigned mdm_chart_light(unsigned color);

#endif
