/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries whose meaning hangs on one another. What is absent has the value that their program gives it.
 */
#include "option/authors.h"

#include "text/number.h"

#include <string.h>

/* The first `n` of two numbers with a comma between them; -1 where it is no such pair. */
static int cut_pair(const char *pair, char first[32], const char **second)
{
    const char *comma = strchr(pair, ',');

    if (!comma || comma - pair > 31 || strchr(comma + 1, ','))
        return -1;
    memcpy(first, pair, (size_t)(comma - pair));
    first[comma - pair] = '\0';
    *second = comma + 1;
    return 0;
}

static const char *text_or(const struct mdm_authors_config *c, const char *path, const char *otherwise)
{
    const char *text = mdm_authors_text(c, path);

    return text ? text : otherwise;
}

static int is_above_0(const char *text)
{
    double x;

    return mdm_parse_double(text, &x) == 0 && x > 0;
}

static int take_optimizer(struct mdm_authors_config *c)
{
    const char *betas = mdm_authors_text(c, "adam_betas"), *clip = mdm_authors_text(c, "clip_grad"), *second;
    char first[32];

    if (betas) {
        if (cut_pair(betas, first, &second) < 0)
            return mdm_authors_refuse(c, MASKDM_EINVAL, "adam_betas", "two numbers are expected");
        MDM_TRY(mdm_authors_put(c, "adam_betas", "beta1", first));
        MDM_TRY(mdm_authors_put(c, "adam_betas", "beta2", second));
    }
    return clip ? mdm_authors_put(c, "clip_grad", "clip_norm", *clip ? clip : "0") : MASKDM_OK;
}

/* ---- the network and its images ---- */

static int is_wavelet(const struct mdm_authors_config *c)
{
    return !strcmp(text_or(c, "network.name", "maskdm"), "maskdwt");
}

static int put_whole(struct mdm_authors_config *c, const char *path, const char *option, int64_t value)
{
    char text[24];

    mdm_format(text, sizeof text, "%lld", (long long)value);
    return mdm_authors_put(c, path, option, text);
}

/* The whole number of an entry, from 1 to `most`. */
static int read_whole(const struct mdm_authors_config *c, const char *path, int64_t most, int64_t *out)
{
    if (mdm_parse_i64(mdm_authors_text(c, path), out) < 0 || *out < 1 || *out > most)
        return mdm_authors_refuse(c, MASKDM_EINVAL, path, "that is no number of such");
    return MASKDM_OK;
}

static int take_form(struct mdm_authors_config *c)
{
    const char *name = text_or(c, "network.name", "maskdm"), *dwt = text_or(c, "dataset.USE_DWT", "false");

    if (strcmp(name, "maskdm") != 0 && !is_wavelet(c))
        return mdm_authors_refuse(c, MASKDM_ENOTSUP, "network.name", "their networks are maskdm and maskdwt");
    if (strcmp(dwt, is_wavelet(c) ? "true" : "false") != 0)
        return mdm_fail(MASKDM_EINVAL, "dataset.USE_DWT is %.20s, and network.name %.20s", dwt, name);
    if (!is_wavelet(c)) {
        mdm_authors_leave(c, "network.data_chans", "it is of maskdwt");
        mdm_authors_leave(c, "network.scale", "it is of maskdwt");
        return mdm_options_set(c->options, "form", "masked");
    }
    MDM_TRY(mdm_authors_put(c, "network.name", "form", "wavelet"));
    return mdm_authors_put(c, "network.scale", "detail_scale", text_or(c, "network.scale", "1"));
}

/* Their network of wavelets counts coefficients, four times the channels over half the side. */
static int take_images(struct mdm_authors_config *c)
{
    const char *given = mdm_authors_text(c, "dataset.IMG_SIZE"), *side = text_or(c, "dataset.SHORT_SIDE_SIZE", "-1");
    int64_t size, channels = is_wavelet(c) ? 12 : 3, data = 3;
    char text[24];

    if (!mdm_authors_text(c, "network.img_size"))
        return mdm_fail(MASKDM_EINVAL, "network.img_size is missing");
    MDM_TRY(read_whole(c, "network.img_size", 1 << 20, &size));
    size *= is_wavelet(c) ? 2 : 1;
    mdm_format(text, sizeof text, "%lld", (long long)size);
    MDM_TRY(mdm_authors_put(c, "network.img_size", "image_size", text));
    if (given && !mdm_authors_alike(given, text))
        return mdm_authors_refuse(c, MASKDM_EINVAL, "dataset.IMG_SIZE", "network.img_size is another");
    if (is_above_0(side) && !mdm_authors_alike(side, text))
        mdm_authors_leave(c, "dataset.SHORT_SIDE_SIZE", "images are fitted to network.img_size");
    if (mdm_authors_text(c, "network.in_chans"))
        MDM_TRY(read_whole(c, "network.in_chans", 1 << 20, &channels));
    if (!is_wavelet(c))
        return put_whole(c, "network.in_chans", "channels", channels);
    if (mdm_authors_text(c, "network.data_chans"))
        MDM_TRY(read_whole(c, "network.data_chans", 1 << 20, &data));
    if (channels != 4 * data)
        return mdm_fail(MASKDM_EINVAL,
                        "network.in_chans is %lld, which is not four times the %lld of network.data_chans",
                        (long long)channels, (long long)data);
    return put_whole(c, "network.data_chans", "channels", data);
}

static int take_labels(struct mdm_authors_config *c)
{
    const char *task = text_or(c, "dataset.TASK", "uncond"), *classes = text_or(c, "network.num_classes", "-1");

    if (!strcmp(task, "uncond")) {
        if (is_above_0(classes))
            mdm_authors_leave(c, "network.num_classes", "dataset.TASK is not cond");
        mdm_authors_leave(c, "network.p_uncond", "dataset.TASK is not cond");
        return MASKDM_OK;
    }
    if (strcmp(task, "cond") != 0)
        return mdm_authors_refuse(c, MASKDM_EINVAL, "dataset.TASK", "tasks are cond and uncond");
    if (!is_above_0(classes))
        return mdm_authors_refuse(c, MASKDM_EINVAL, "dataset.TASK", "network.num_classes says no number of classes");
    MDM_TRY(mdm_authors_put(c, "network.num_classes", "classes", classes));
    return mdm_authors_text(c, "network.p_uncond")
               ? mdm_authors_put(c, "network.p_uncond", "label_dropout", mdm_authors_text(c, "network.p_uncond"))
               : MASKDM_OK;
}

/* ---- masks ---- */

/* Sizes that the mask does not have, unless they say that they are none. */
static void leave_sizes(const struct mdm_authors_config *c, const char *type)
{
    static const struct {
        const char *path, *type, *why;
    } sizes[] = {{"dataset.MASK_BLOCK_SIZE", "block", "no patches are hidden by blocks"},
                 {"dataset.MASK_CROP_SIZE", "crop", "images are not cropped"}};

    for (size_t i = 0; i < MDM_LENGTH(sizes); i++)
        if (strcmp(type, sizes[i].type) != 0 && is_above_0(text_or(c, sizes[i].path, "-1")))
            mdm_authors_leave(c, sizes[i].path, sizes[i].why);
}

static int take_no_mask(struct mdm_authors_config *c)
{
    mdm_authors_leave(c, "dataset.MASK_TYPE", "dataset.MASK_RATIO hides nothing");
    leave_sizes(c, "none");
    return mdm_authors_put(c, "dataset.MASK_RATIO", "mask", "none");
}

/* Two shares; the kind is patch whatever is written. */
static int take_wavelet_mask(struct mdm_authors_config *c, const char *type, const char *ratio)
{
    const char *details;
    char first[32];

    if (cut_pair(ratio, first, &details) < 0)
        return mdm_authors_refuse(c, MASKDM_EINVAL, "dataset.MASK_RATIO", "of wavelets there are two, in a list");
    if (!is_above_0(first) && !is_above_0(details))
        return take_no_mask(c);
    if (strcmp(type, "patch") != 0)
        mdm_authors_leave(c, "dataset.MASK_TYPE", "their program hides patches of wavelets one by one");
    leave_sizes(c, "patch");
    MDM_TRY(mdm_authors_put(c, "dataset.MASK_TYPE", "mask", "patch"));
    MDM_TRY(mdm_authors_put(c, "dataset.MASK_RATIO", "mask_ratio", first));
    return mdm_authors_put(c, "dataset.MASK_RATIO", "mask_detail_ratio", details);
}

static int take_mask(struct mdm_authors_config *c)
{
    const char *type = mdm_authors_text(c, "dataset.MASK_TYPE"), *ratio = mdm_authors_text(c, "dataset.MASK_RATIO");

    if (!type || !ratio)
        return mdm_fail(MASKDM_EINVAL, "dataset.%s is missing", type ? "MASK_RATIO" : "MASK_TYPE");
    if (strcmp(type, "patch") != 0 && strcmp(type, "block") != 0 && strcmp(type, "crop") != 0)
        return mdm_authors_refuse(c, MASKDM_EINVAL, "dataset.MASK_TYPE", "types are patch, block and crop");
    if (is_wavelet(c))
        return take_wavelet_mask(c, type, ratio);
    if (mdm_authors_alike(ratio, "0"))
        return take_no_mask(c);
    leave_sizes(c, type);
    MDM_TRY(mdm_authors_put(c, "dataset.MASK_TYPE", "mask", type));
    if (!strcmp(type, "crop")) {
        mdm_authors_leave(c, "dataset.MASK_RATIO", "a crop's side says how much is hidden");
        return mdm_authors_put(c, "dataset.MASK_CROP_SIZE", "mask_crop_size",
                               text_or(c, "dataset.MASK_CROP_SIZE", ""));
    }
    MDM_TRY(mdm_authors_put(c, "dataset.MASK_RATIO", "mask_ratio", ratio));
    if (strcmp(type, "block") != 0)
        return MASKDM_OK;
    return mdm_authors_put(c, "dataset.MASK_BLOCK_SIZE", "mask_block_size",
                           text_or(c, "dataset.MASK_BLOCK_SIZE", ""));
}

/* ---- noise and loss ---- */

static int take_schedule(struct mdm_authors_config *c)
{
    const char *schedule = text_or(c, "beta_schedule", "cosine"), *shift = text_or(c, "shift", "false");

    if (strcmp(schedule, "linear") != 0 && strcmp(schedule, "cosine") != 0)
        return mdm_authors_refuse(c, MASKDM_EINVAL, "beta_schedule", "schedules are linear and cosine");
    if (!strcmp(shift, "false"))
        return mdm_authors_put(c, "beta_schedule", "schedule", schedule);
    if (strcmp(shift, "true") != 0 || strcmp(schedule, "cosine") != 0)
        return mdm_authors_refuse(c, MASKDM_ENOTSUP, "shift", "the cosine schedule alone is shifted here");
    MDM_TRY(mdm_authors_put(c, "shift", "schedule", "shifted_cosine"));
    return mdm_authors_put(c, "shift", "shift_size", mdm_authors_text(c, "network.img_size"));
}

/* An exponent of 0 switches the weight off. */
static int take_weight(struct mdm_authors_config *c)
{
    const char *weight = text_or(c, "loss_weight", "p2"), *gamma = text_or(c, "p2_loss_weight_gamma", "0");

    if (mdm_authors_alike(gamma, "0"))
        return MASKDM_OK;
    if (strcmp(weight, "p2") != 0)
        return mdm_authors_refuse(c, MASKDM_ENOTSUP, "loss_weight", "their weight p2 alone is here");
    MDM_TRY(mdm_authors_put(c, "loss_weight", "weight", "p2"));
    return mdm_authors_put(c, "p2_loss_weight_gamma", "weight_gamma", gamma);
}

int mdm_authors_take_together(struct mdm_authors_config *c)
{
    static int (*const all[])(struct mdm_authors_config * c) = {take_optimizer, take_form, take_images, take_labels,
                                                                take_mask,      take_schedule, take_weight};

    for (size_t i = 0; i < MDM_LENGTH(all); i++)
        MDM_TRY(all[i](c));
    return MASKDM_OK;
}
