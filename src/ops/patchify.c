/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The visible patches of images as rows. Hidden ones are never read, so they cost nothing from here on.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "patchify", .inputs = "x index", .id = MDM_OP_PATCHIFY, .reads_in = 1u << 1};

mdm_val mdm_patchify(struct mdm_graph *g, mdm_val image, mdm_val index, int64_t patch)
{
    mdm_val in[] = {image, index};
    struct mdm_shape s = mdm_graph_shape(g, image), k = mdm_graph_shape(g, index);
    struct mdm_node *n = mdm_graph_node(g, &op, 2, in);

    if (!n)
        return MDM_NONE;
    n->attr[0] = patch;
    if (s.n != 4 || patch < 1 || s.d[1] % patch || s.d[2] % patch)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "patchify: patches of %lld do not tile an image of %lld x %lld",
                              (long long)patch, (long long)s.d[1], (long long)s.d[2]);
    if (k.n != 2 || k.d[0] != s.d[0] || k.d[1] > s.d[1] / patch * (s.d[2] / patch))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "patchify: index[%lld,%lld] for %lld images of %lld patches",
                              (long long)k.d[0], (long long)k.d[1], (long long)s.d[0],
                              (long long)(s.d[1] / patch * (s.d[2] / patch)));
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(k.d[0], k.d[1], s.d[3] * patch * patch));
}
