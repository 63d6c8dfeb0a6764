/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An embedding and a head for each kind of patches; what is between sees tokens alone.
 */
#include "model/wavelet.h"

#include "ops/ops.h"

#include <math.h>

/* Of each kind, by the authors' names. */
static const char *const names[MDM_MOST_KINDS] = {"approx", "detail"};

static mdm_val embed(struct mdm_graph *g, const struct mdm_part *part, const char *name, const struct mdm_ports *in,
                     int64_t dim)
{
    const int64_t p = part->of->patch, c = part->of->channels;
    const struct mdm_some some = {.patch = p,
                                  .channel = part->of->channel,
                                  .channels = c,
                                  .place = part->place,
                                  .count = part->visible,
                                  .first = part->beside.first};
    const double bound = 1 / sqrt((double)(c * p * p));
    char full[64];
    mdm_val w, b;

    mdm_format(full, sizeof full, "%s_patch_embed.proj.weight", name);
    w = mdm_graph_param(g, full, mdm_shape4(dim, c, p, p), MDM_INIT_UNIFORM, bound);
    mdm_format(full, sizeof full, "%s_patch_embed.proj.bias", name);
    b = mdm_graph_param(g, full, mdm_shape1(dim), MDM_INIT_UNIFORM, bound);
    return mdm_linear(g, mdm_patchify_some(g, in->seen, in->index, &some), w, b);
}

mdm_val mdm_wavelet_embed(struct mdm_graph *g, const struct mdm_geometry *geo, const struct mdm_extent *e,
                          const struct mdm_ports *in, int64_t dim)
{
    mdm_val token[MDM_MOST_KINDS];

    for (int k = 0; k < MDM_MOST_KINDS; k++) {
        const struct mdm_part part = mdm_geometry_part(geo, e, k);

        token[k] = embed(g, &part, names[k], in, dim);
    }
    return mdm_join(g, token[0], token[1]);
}

mdm_val mdm_wavelet_predict(struct mdm_graph *g, const struct mdm_geometry *geo, const struct mdm_extent *e,
                            mdm_val x, int64_t dim)
{
    mdm_val made[MDM_MOST_KINDS];
    char full[64];

    for (int k = 0; k < MDM_MOST_KINDS; k++) {
        const struct mdm_part part = mdm_geometry_part(geo, e, k);
        const int64_t values = part.outputs * part.of->patch * part.of->patch;
        mdm_val w, b;

        mdm_format(full, sizeof full, "%s_to_output.weight", names[k]);
        w = mdm_graph_param(g, full, mdm_shape2(values, dim), MDM_INIT_NORMAL, 0.02);
        mdm_format(full, sizeof full, "%s_to_output.bias", names[k]);
        b = mdm_graph_param(g, full, mdm_shape1(values), MDM_INIT_ZERO, 0);
        made[k] = mdm_linear(g, mdm_part(g, x, part.place, part.visible), w, b);
    }
    return mdm_join(g, made[0], made[1]);
}
