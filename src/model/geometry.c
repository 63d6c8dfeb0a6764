/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the options of every network of patches say, and what they may say.
 */
#include "model/network.h"

enum { MOST_SIDE = 65536, MOST_PATCHES = 1 << 20, MOST_DIM = 65536, MOST_CLASSES = 1 << 24 };

static int check_between(const maskdm_options *o, const char *name, int64_t x, int64_t least, int64_t most)
{
    if (x >= least && x <= most)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s is %lld, not from %lld to %lld", mdm_options_said(o, name), (long long)x,
                    (long long)least, (long long)most);
}

int mdm_geometry_set(struct mdm_geometry *g, const maskdm_options *o, const struct mdm_int_list *size, int64_t patch,
                     int64_t channels, int64_t classes)
{
    g->height = size->count ? size->value[0] : 0;
    g->width = size->count == 2 ? size->value[1] : g->height;
    g->channels = g->outputs = channels;
    g->patch = patch;
    g->classes = classes;
    MDM_TRY(check_between(o, "image_size", g->height, 1, MOST_SIDE));
    MDM_TRY(check_between(o, "image_size", g->width, 1, MOST_SIDE));
    MDM_TRY(check_between(o, "channels", channels, 1, 4));
    MDM_TRY(check_between(o, "patch_size", patch, 1, 1024));
    if (classes < 0)
        return mdm_fail(MASKDM_EINVAL, "%s auto is for a run, which has data to count the labels of",
                        mdm_options_said(o, "classes"));
    MDM_TRY(check_between(o, "classes", classes, 0, MOST_CLASSES));
    if (g->height % patch || g->width % patch)
        return mdm_fail(MASKDM_EINVAL, "%s %lld does not divide %s %lldx%lld", mdm_options_said(o, "patch_size"),
                        (long long)patch, mdm_options_said(o, "image_size"), (long long)g->height,
                        (long long)g->width);
    g->rows = g->height / patch;
    g->columns = g->width / patch;
    g->patches = g->rows * g->columns;
    g->space = NULL;
    g->kinds = 1;
    g->kind[0] = (struct mdm_patches_of){g->rows, g->columns, g->patches, patch, 0, channels};
    if (g->patches > MOST_PATCHES)
        return mdm_fail(MASKDM_EINVAL, "%s %lldx%lld has %lld patches of %s %lld, more than %d",
                        mdm_options_said(o, "image_size"), (long long)g->height, (long long)g->width,
                        (long long)g->patches, mdm_options_said(o, "patch_size"), (long long)patch, MOST_PATCHES);
    return MASKDM_OK;
}

int mdm_geometry_set_wavelets(struct mdm_geometry *g, const maskdm_options *o, const struct mdm_int_list *size,
                              int64_t patch, int64_t scale, int64_t channels, int64_t classes)
{
    const struct mdm_space *space = &mdm_haar;
    const int64_t side = space->side, details = channels * (side * side - 1), across = side * patch * scale;
    const int64_t height = size->count ? size->value[0] : 0, width = size->count == 2 ? size->value[1] : height;

    MDM_TRY(check_between(o, "patch_size", patch, 1, 512));
    MDM_TRY(check_between(o, "detail_scale", scale, 1, 64));
    if (height % across || width % across)
        return mdm_fail(MASKDM_EINVAL, "%s %lldx%lld is no multiple of %lld pixels: %s %lld of wavelets%s",
                        mdm_options_said(o, "image_size"), (long long)height, (long long)width, (long long)across,
                        mdm_options_said(o, "patch_size"), (long long)patch,
                        scale > 1 ? ", and details of detail_scale times that" : "");
    MDM_TRY(mdm_geometry_set(g, o, size, side * patch, channels, classes));
    g->space = space;
    g->kinds = 2;
    g->kind[0].patch = patch;
    g->kind[1] = (struct mdm_patches_of){.rows = g->rows / scale,
                                         .columns = g->columns / scale,
                                         .patches = g->patches / (scale * scale),
                                         .patch = patch * scale,
                                         .channel = channels,
                                         .channels = details};
    g->patches += g->kind[1].patches;
    return MASKDM_OK;
}

static int64_t visible_of(const struct mdm_geometry *g, const struct mdm_extent *e, int kind)
{
    const int64_t all = e->visible ? e->visible : g->patches;
    int64_t second = 0;

    if (g->kinds > 1)
        second = e->second ? e->second : all * g->kind[1].patches / g->patches;
    return kind ? second : all - second;
}

struct mdm_part mdm_geometry_part(const struct mdm_geometry *g, const struct mdm_extent *e, int kind)
{
    const int side = g->space ? g->space->side : 1;
    struct mdm_part p = {.height = g->height / side, .width = g->width / side};

    p.beside.channels = mdm_geometry_depth(g);
    for (int k = 0; k < g->kinds; k++) {
        const struct mdm_patches_of *of = &g->kind[k];
        const int64_t outputs = g->kinds > 1 ? of->channels : g->outputs;
        const int64_t visible = visible_of(g, e, k), values = visible * of->patch * of->patch * outputs;

        if (k < kind) {
            p.place += visible;
            p.first += values;
            p.beside.first += of->patches;
        } else if (k == kind) {
            p.of = of;
            p.outputs = outputs;
            p.visible = visible;
            p.values = values;
        }
        p.beside.index += visible;
        p.beside.pred += values;
    }
    return p;
}

int mdm_geometry_check_extent(const struct mdm_geometry *g, const struct mdm_extent *e)
{
    if (e->visible < 1 || e->visible > g->patches)
        return mdm_fail(MASKDM_EINVAL, "%lld visible patches are outside 1 .. %lld", (long long)e->visible,
                        (long long)g->patches);
    for (int k = 0; k < g->kinds; k++) {
        const int64_t visible = mdm_geometry_part(g, e, k).visible;

        if (visible < 1 || visible > g->kind[k].patches)
            return mdm_fail(MASKDM_EINVAL, "%lld visible patches of kind %d of %d are outside 1 .. %lld",
                            (long long)visible, k + 1, g->kinds, (long long)g->kind[k].patches);
    }
    return MASKDM_OK;
}

int mdm_geometry_check_index(const struct mdm_geometry *g, const struct mdm_extent *e, const int32_t *index)
{
    const int64_t first = mdm_geometry_part(g, e, 0).visible;

    for (int64_t b = 0; b < e->batch && g->kinds > 1; b++, index += e->visible)
        if (index[first - 1] >= g->kind[0].patches || index[first] < g->kind[0].patches)
            return mdm_fail(MASKDM_EINVAL,
                            "image %lld has other than %lld visible patches below %lld, and %lld above", (long long)b,
                            (long long)first, (long long)g->kind[0].patches,
                            (long long)(e->visible - first));
    return MASKDM_OK;
}

int64_t mdm_geometry_count(const struct mdm_geometry *g, int64_t visible, const int32_t *index)
{
    int64_t count = 0;

    for (int64_t i = 0; g->kinds > 1 && index && i < visible; i++)
        count += index[i] >= g->kind[0].patches;
    return count;
}

int64_t mdm_geometry_predicted(const struct mdm_geometry *g, const struct mdm_extent *e)
{
    return mdm_geometry_part(g, e, 0).beside.pred;
}

struct mdm_grids mdm_geometry_grids(const struct mdm_geometry *g)
{
    const struct mdm_patches_of *second = &g->kind[1];
    struct mdm_grids out = {.first = {g->rows, g->columns}};

    if (g->kinds > 1)
        out.second = (struct mdm_grid){second->rows, second->columns};
    return out;
}

int64_t mdm_geometry_places(const struct mdm_geometry *g)
{
    const int side = g->space ? g->space->side : 1;

    return g->height * g->width / (side * side);
}

int64_t mdm_geometry_depth(const struct mdm_geometry *g)
{
    const int side = g->space ? g->space->side : 1;

    return g->channels * side * side;
}

double mdm_geometry_share(const struct mdm_geometry *g, int kind)
{
    const struct mdm_patches_of *of = &g->kind[kind];
    const double share = (double)of->channels / (double)mdm_geometry_depth(g);

    return g->space ? share * g->space->band[of->channel / g->channels].pixels : 1;
}

int mdm_geometry_check_blocks(const maskdm_options *o, int64_t dim, int64_t depth, int64_t heads, double ratio)
{
    MDM_TRY(check_between(o, "dim", dim, 2, MOST_DIM));
    MDM_TRY(check_between(o, "depth", depth, 1, MDM_MAX_DEPTH));
    MDM_TRY(check_between(o, "heads", heads, 1, dim));
    if (dim % heads)
        return mdm_fail(MASKDM_EINVAL, "%s %lld does not divide %s %lld", mdm_options_said(o, "heads"),
                        (long long)heads, mdm_options_said(o, "dim"), (long long)dim);
    if (!(ratio > 0 && ratio <= 64 && (double)dim * ratio >= 1))
        return mdm_fail(MASKDM_EINVAL, "%s gives a hidden layer below 1 or above 64 times %s %lld",
                        mdm_options_said(o, "mlp_ratio"), mdm_options_said(o, "dim"), (long long)dim);
    return MASKDM_OK;
}
