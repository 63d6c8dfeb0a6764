/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The visible patches of images as rows. Hidden ones are never read, so they cost nothing from here on.
 */
#include "ops/ops.h"

static const struct mdm_op op = {.name = "patchify", .inputs = "x index", .id = MDM_OP_PATCHIFY, .reads_in = 1u << 1};

mdm_val mdm_patchify_some(struct mdm_graph *g, mdm_val image, mdm_val index, const struct mdm_some *some)
{
    mdm_val in[] = {image, index};
    const int64_t p = some->patch;
    struct mdm_shape s = mdm_graph_shape(g, image), k = mdm_graph_shape(g, index);
    struct mdm_node *n = mdm_graph_node(g, &op, 2, in);

    if (!n)
        return MDM_NONE;
    n->attr[0] = p;
    n->attr[1] = some->channel;
    n->attr[2] = some->place;
    n->attr[3] = some->first;
    if (s.n != 4 || p < 1 || s.d[1] % p || s.d[2] % p)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "patchify: patches of %lld do not tile an image of %lld x %lld",
                              (long long)p, (long long)s.d[1], (long long)s.d[2]);
    if (some->channel < 0 || some->channels < 1 || some->channels > s.d[3] - some->channel)
        return mdm_graph_fail(g, MASKDM_ESHAPE, "patchify: %lld channels from %lld on of %lld",
                              (long long)some->channels, (long long)some->channel, (long long)s.d[3]);
    if (k.n != 2 || k.d[0] != s.d[0] || some->place < 0 || some->count < 1 || some->count > k.d[1] - some->place ||
        some->count > s.d[1] / p * (s.d[2] / p))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "patchify: index[%lld,%lld] for %lld images of %lld patches",
                              (long long)k.d[0], (long long)k.d[1], (long long)s.d[0],
                              (long long)(s.d[1] / p * (s.d[2] / p)));
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(k.d[0], some->count, some->channels * p * p));
}

mdm_val mdm_patchify(struct mdm_graph *g, mdm_val image, mdm_val index, int64_t patch)
{
    const struct mdm_shape s = mdm_graph_shape(g, image), k = mdm_graph_shape(g, index);
    const struct mdm_some all = {.patch = patch, .channels = s.n == 4 ? s.d[3] : 0, .count = k.n == 2 ? k.d[1] : 0};

    return mdm_patchify_some(g, image, index, &all);
}
