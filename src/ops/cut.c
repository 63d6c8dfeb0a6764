/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patches of images that a network sees as a whole: cut out in a prediction's order, pasted, or hidden.
 */
#include "ops/ops.h"

static const struct mdm_op op_cut = {.name = "cut", .inputs = "x index", .id = MDM_OP_CUT, .reads_in = 1u << 1};
static const struct mdm_op op_paste = {.name = "paste", .inputs = "x index", .id = MDM_OP_PASTE, .reads_in = 1u << 1};
static const struct mdm_op op_hide = {.name = "hide", .inputs = "x index", .id = MDM_OP_HIDE, .reads_in = 1u << 1};

/* Whether patches tile the image, and index has some of them for each. */
static int check_patches(struct mdm_graph *g, const char *name, const struct mdm_shape *image, mdm_val index,
                         int64_t patch)
{
    struct mdm_shape k = mdm_graph_shape(g, index);

    if (image->n == 4 && patch > 0 && image->d[1] % patch == 0 && image->d[2] % patch == 0 && k.n == 2 &&
        k.d[0] == image->d[0] && k.d[1] <= image->d[1] / patch * (image->d[2] / patch))
        return 1;
    mdm_graph_fail(g, MASKDM_ESHAPE, "%s: index[%lld,%lld] of patches of %lld in %lld images of %lld x %lld", name,
                   (long long)k.d[0], (long long)k.d[1], (long long)patch, (long long)image->d[0],
                   (long long)image->d[1], (long long)image->d[2]);
    return 0;
}

mdm_val mdm_cut(struct mdm_graph *g, mdm_val image, mdm_val index, int64_t patch)
{
    mdm_val in[] = {image, index};
    struct mdm_shape s = mdm_graph_shape(g, image);
    struct mdm_node *n = mdm_graph_node(g, &op_cut, 2, in);

    if (!n || !check_patches(g, "cut", &s, index, patch))
        return MDM_NONE;
    n->attr[0] = patch;
    return mdm_graph_result(g, MDM_ACT, mdm_shape3(s.d[0], mdm_graph_shape(g, index).d[1], patch * patch * s.d[3]));
}

mdm_val mdm_paste(struct mdm_graph *g, mdm_val x, mdm_val index, int64_t patch, int64_t height, int64_t width)
{
    mdm_val in[] = {x, index};
    struct mdm_shape s = mdm_graph_shape(g, x), k = mdm_graph_shape(g, index), image;
    struct mdm_node *n = mdm_graph_node(g, &op_paste, 2, in);

    if (!n)
        return MDM_NONE;
    image = mdm_shape4(s.d[0], height, width, patch > 0 ? mdm_shape_last(&s) / (patch * patch) : 0);
    if (!check_patches(g, "paste", &image, index, patch))
        return MDM_NONE;
    if (s.n != 3 || s.d[1] != k.d[1] || s.d[2] % (patch * patch))
        return mdm_graph_fail(g, MASKDM_ESHAPE, "paste: %lld rows of %lld for %lld patches of %lld",
                              (long long)s.d[1], (long long)mdm_shape_last(&s), (long long)k.d[1], (long long)patch);
    n->attr[0] = patch;
    return mdm_graph_result(g, MDM_ACT, image);
}

mdm_val mdm_hide(struct mdm_graph *g, mdm_val image, mdm_val index, int64_t patch)
{
    mdm_val in[] = {image, index};
    struct mdm_shape s = mdm_graph_shape(g, image);
    struct mdm_node *n = mdm_graph_node(g, &op_hide, 2, in);

    if (!n || !check_patches(g, "hide", &s, index, patch))
        return MDM_NONE;
    n->attr[0] = patch;
    s.d[3]++;
    return mdm_graph_result(g, MDM_ACT, s);
}
