/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Freezing by patterns.
 */
#include "train/freeze.h"

#include "base/error.h"
#include "text/pattern.h"
#include "train/options.h"

/* A pattern without its '!'. */
static const char *next(const char **at, size_t *length, int *thaws)
{
    const char *pattern = mdm_pattern_next(at, length);

    *thaws = pattern && *pattern == '!';
    *length -= (size_t)*thaws;
    return pattern ? pattern + *thaws : NULL;
}

static int is_one_of(const struct mdm_params *layout, const char *pattern, size_t length)
{
    for (int i = 0; i < layout->count; i++)
        if (mdm_pattern_matches(pattern, length, layout->list[i].name))
            return 1;
    return 0;
}

static int check(const struct mdm_params *layout, const char *patterns, const char *said)
{
    const char *pattern;
    size_t length;
    int thaws;

    while ((pattern = next(&patterns, &length, &thaws)))
        if (!is_one_of(layout, pattern, length))
            return mdm_fail(MASKDM_EINVAL, "%s \"%.*s\" names none of the %d parameters, such as %s", said,
                            (int)length, pattern, layout->count, layout->count ? layout->list[0].name : "");
    return MASKDM_OK;
}

static int is_frozen(const char *patterns, const char *name)
{
    const char *pattern;
    size_t length;
    int thaws, frozen = 0;

    while ((pattern = next(&patterns, &length, &thaws)))
        if (mdm_pattern_matches(pattern, length, name))
            frozen = !thaws;
    return frozen;
}

int mdm_freeze(struct mdm_params *layout, const char *patterns, const char *said)
{
    int trained = 0;

    MDM_TRY(check(layout, patterns, said));
    for (int i = 0; i < layout->count; i++)
        trained += !layout->list[i].frozen && !is_frozen(patterns, layout->list[i].name);
    if (!trained)
        return mdm_fail(MASKDM_EINVAL, "%s \"%s\" leaves none of the %d parameters to train", said, patterns,
                        layout->count);
    for (int i = 0; i < layout->count; i++)
        if (is_frozen(patterns, layout->list[i].name))
            layout->list[i].frozen = 1;
    return MASKDM_OK;
}

int mdm_freeze_view(maskdm_model **out, const maskdm_model *model, const maskdm_options *trainer)
{
    struct mdm_trainer_options told;

    mdm_options_read(trainer, &mdm_trainer_options, &told);
    MDM_TRY(mdm_model_view(out, model, NULL, NULL));
    return mdm_freeze(&(*out)->layout, told.freeze, mdm_options_said(trainer, "freeze"));
}

int mdm_freeze_trained(const struct mdm_params *layout, int64_t *elements)
{
    int count = 0;

    *elements = 0;
    for (int i = 0; i < layout->count; i++)
        if (!layout->list[i].frozen) {
            count++;
            *elements += mdm_shape_numel(&layout->list[i].shape);
        }
    return count;
}
