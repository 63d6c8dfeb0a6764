/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One rule for every meaning (tensor/tensor.h): a parameter is a product of dimensions, each of which stays or is
 * resized, or rows that are found anew.
 */
#include "model/transfer_rule.h"

#include "base/error.h"
#include "text/text.h"

#include <string.h>

static void add_shape(struct mdm_text *out, const struct mdm_shape *s)
{
    for (int i = 0; i < s->n; i++)
        mdm_text_addf(out, "%s%lld", i ? "," : "[", (long long)s->d[i]);
    mdm_text_add(out, "]");
}

static int fail_shapes(const struct mdm_transfer_job *j)
{
    struct mdm_text text = {0};
    int status;

    mdm_text_addf(&text, "parameter %s has shape ", j->to->name);
    add_shape(&text, &j->from->shape);
    mdm_text_add(&text, " in the model, and nothing tells how it becomes ");
    add_shape(&text, &j->to->shape);
    status = mdm_text_ok(&text);
    if (status == MASKDM_OK)
        status = mdm_fail(MASKDM_ESHAPE, "%s", text.data);
    mdm_text_free(&text);
    return status;
}

static int64_t values_of(const struct mdm_param *p)
{
    return mdm_shape_numel(&p->shape);
}

/* Of the dimensions from `at` on. */
static int64_t rest_of(const struct mdm_shape *s, int at)
{
    int64_t n = 1;

    for (int i = at; i < s->n; i++)
        n *= s->d[i];
    return n;
}

/* From x + skip and y + drop on. */
static int map(struct mdm_transfer_job *j, const struct mdm_axis *const axis[MDM_MOST_AXES], int count, int64_t skip,
               int64_t drop)
{
    int64_t taken = 1, made = 1;

    j->what = skip == drop ? MASKDM_TRANSFER_TAKEN : MASKDM_TRANSFER_RESIZED;
    for (int k = 0; k < count; k++) {
        taken *= axis[k]->taken;
        made *= axis[k]->made;
        if (axis[k]->w)
            j->what = MASKDM_TRANSFER_RESIZED;
    }
    if (taken + skip != values_of(j->from) || made + drop != values_of(j->to))
        return fail_shapes(j);
    return mdm_axes_apply(j->y + drop, j->x + skip, axis, count);
}

static int same(struct mdm_transfer_job *j)
{
    if (!mdm_shape_equal(&j->from->shape, &j->to->shape))
        return fail_shapes(j);
    memcpy(j->y, j->x, (size_t)values_of(j->to) * sizeof *j->y);
    return MASKDM_OK;
}

/* Rows of other tokens are counted from the last. */
static int places(struct mdm_transfer_job *j)
{
    const struct mdm_transfer *t = j->t;
    const struct mdm_axis width = mdm_axis_same(mdm_shape_last(&j->to->shape));
    const struct mdm_axis *const axis[MDM_MOST_AXES] = {&t->rows, &t->columns, &width};
    const int64_t before = j->from->shape.d[1] - t->from->geometry.patches;
    const int64_t now = j->to->shape.d[1] - t->to->geometry.patches, both = before < now ? before : now,
                  d = width.made;

    if (before < 0 || now < 0 || mdm_shape_last(&j->from->shape) != d)
        return fail_shapes(j);
    memcpy(j->y + (now - both) * d, j->x + (before - both) * d, (size_t)(both * d) * sizeof *j->y);
    return map(j, axis, 3, before * d, now * d);
}

static int patch_in(struct mdm_transfer_job *j)
{
    const struct mdm_transfer *t = j->t;
    const struct mdm_axis width = mdm_axis_same(j->to->shape.d[0]);
    struct mdm_axis channels;
    int status = mdm_axis_channels_in(&channels, t->from->geometry.channels, t->to->geometry.channels, 0, 0);

    if (status == MASKDM_OK)
        status = map(j, (const struct mdm_axis *[MDM_MOST_AXES]){&width, &channels, &t->pixels_in, &t->pixels_in}, 4,
                     0, 0);
    mdm_axis_free(&channels);
    return status;
}

static int channels_out(struct mdm_axis *a, const struct mdm_transfer *t)
{
    const struct mdm_geometry *from = &t->from->geometry, *to = &t->to->geometry;

    return mdm_axis_channels_out(a, from->channels, to->channels, from->outputs, to->outputs);
}

static int patch_out(struct mdm_transfer_job *j)
{
    const struct mdm_transfer *t = j->t;
    const struct mdm_axis width = mdm_axis_same(rest_of(&j->to->shape, 1));
    struct mdm_axis channels;
    int status = channels_out(&channels, t);

    if (status == MASKDM_OK)
        status = map(j, (const struct mdm_axis *[MDM_MOST_AXES]){&t->pixels_out, &t->pixels_out, &channels, &width},
                     4, 0, 0);
    mdm_axis_free(&channels);
    return status;
}

static int patch_out_by_channel(struct mdm_transfer_job *j)
{
    const struct mdm_transfer *t = j->t;
    const struct mdm_axis width = mdm_axis_same(rest_of(&j->to->shape, 1));
    struct mdm_axis channels;
    int status = channels_out(&channels, t);

    if (status == MASKDM_OK)
        status = map(
            j, (const struct mdm_axis *[MDM_MOST_AXES]){&channels, &t->pixels_out, &t->pixels_out, &width}, 4, 0, 0);
    mdm_axis_free(&channels);
    return status;
}

static int image_in(struct mdm_transfer_job *j)
{
    const struct mdm_geometry *from = &j->t->from->geometry, *to = &j->t->to->geometry;
    const struct mdm_axis first = mdm_axis_same(j->to->shape.d[0]), last = mdm_axis_same(rest_of(&j->to->shape, 2));
    struct mdm_axis channels;
    int status = mdm_axis_channels_in(&channels, from->channels, to->channels, j->from->shape.d[1] - from->channels,
                                      j->to->shape.d[1] - to->channels);

    if (status == MASKDM_OK)
        status = map(j, (const struct mdm_axis *[MDM_MOST_AXES]){&first, &channels, &last}, 3, 0, 0);
    mdm_axis_free(&channels);
    return status;
}

static int image_out(struct mdm_transfer_job *j)
{
    const struct mdm_axis rest = mdm_axis_same(rest_of(&j->to->shape, 1));
    struct mdm_axis channels;
    int status = channels_out(&channels, j->t);

    if (status == MASKDM_OK)
        status = map(j, (const struct mdm_axis *[MDM_MOST_AXES]){&channels, &rest}, 2, 0, 0);
    mdm_axis_free(&channels);
    return status;
}

static int image_both(struct mdm_transfer_job *j)
{
    const struct mdm_geometry *from = &j->t->from->geometry, *to = &j->t->to->geometry;
    const struct mdm_axis rest = mdm_axis_same(rest_of(&j->to->shape, 2));
    struct mdm_axis out, in = {.w = NULL};
    int status = channels_out(&out, j->t);

    if (status == MASKDM_OK)
        status = mdm_axis_channels_in(&in, from->channels, to->channels, 0, 0);
    if (status == MASKDM_OK)
        status = map(j, (const struct mdm_axis *[MDM_MOST_AXES]){&out, &in, &rest}, 3, 0, 0);
    mdm_axis_free(&out);
    mdm_axis_free(&in);
    return status;
}

/* Row `row` of the table becomes the mean of the first n of the old one. */
static void average(struct mdm_transfer_job *j, int64_t row, int64_t n, int64_t d)
{
    for (int64_t k = 0; k < d; k++) {
        double sum = 0;

        for (int64_t i = 0; i < n; i++)
            sum += j->x[i * d + k];
        j->y[row * d + k] = (float)(sum / (double)n);
    }
}

/* The last `null` rows of each table are of no class. */
static int map_classes(struct mdm_transfer_job *j, int64_t null)
{
    const int64_t before = j->from->shape.d[0] - null, now = j->to->shape.d[0] - null,
                  d = mdm_shape_last(&j->to->shape);

    if (before < 0 || now < 0 || mdm_shape_last(&j->from->shape) != d)
        return fail_shapes(j);
    j->what = before == now ? MASKDM_TRANSFER_TAKEN : MASKDM_TRANSFER_MAPPED;
    for (int64_t i = 0; i < now; i++) {
        const int64_t k = j->t->classes[i] < before ? j->t->classes[i] : -1;

        if (k >= 0)
            memcpy(j->y + i * d, j->x + k * d, (size_t)d * sizeof *j->y);
        else if (before > 0)
            average(j, i, before, d);
        if (k != i)
            j->what = MASKDM_TRANSFER_MAPPED;
    }
    memcpy(j->y + now * d, j->x + before * d, (size_t)(null * d) * sizeof *j->y);
    return MASKDM_OK;
}

static int classes(struct mdm_transfer_job *j)
{
    return map_classes(j, j->to->shape.d[0] - j->t->to->geometry.classes);
}

static int classes_and_null(struct mdm_transfer_job *j)
{
    return map_classes(j, 1);
}

static int (*const rules[])(struct mdm_transfer_job *j) = {
    [MDM_MEANS_NOTHING] = same,
    [MDM_MEANS_PLACES] = places,
    [MDM_MEANS_PATCH_IN] = patch_in,
    [MDM_MEANS_PATCH_OUT] = patch_out,
    [MDM_MEANS_IMAGE_IN] = image_in,
    [MDM_MEANS_IMAGE_OUT] = image_out,
    [MDM_MEANS_PATCH_OUT_BY_CHANNEL] = patch_out_by_channel,
    [MDM_MEANS_CLASSES] = classes,
    [MDM_MEANS_IMAGE_BOTH] = image_both,
    [MDM_MEANS_CLASSES_AND_NULL] = classes_and_null,
};

int mdm_transfer_apply(struct mdm_transfer_job *job)
{
    const enum mdm_meaning meaning = job->to->meaning;
    const int of_classes = meaning == MDM_MEANS_CLASSES || meaning == MDM_MEANS_CLASSES_AND_NULL;

    /* What has patches of two kinds goes on with the same ones. */
    return job->t->to->geometry.kinds > 1 && !of_classes ? same(job) : rules[meaning](job);
}
