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
    MDM_TRY(check_between(o, "classes", classes, 0, MOST_CLASSES));
    if (g->height % patch || g->width % patch)
        return mdm_fail(MASKDM_EINVAL, "%s %lld does not divide %s %lldx%lld", mdm_options_said(o, "patch_size"),
                        (long long)patch, mdm_options_said(o, "image_size"), (long long)g->height,
                        (long long)g->width);
    g->rows = g->height / patch;
    g->columns = g->width / patch;
    g->patches = g->rows * g->columns;
    if (g->patches > MOST_PATCHES)
        return mdm_fail(MASKDM_EINVAL, "%s %lldx%lld has %lld patches of %s %lld, more than %d",
                        mdm_options_said(o, "image_size"), (long long)g->height, (long long)g->width,
                        (long long)g->patches, mdm_options_said(o, "patch_size"), (long long)patch, MOST_PATCHES);
    return MASKDM_OK;
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
