/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What maskdm_sample() does: check all that can be checked before a step is taken, load, sample, write.
 */
#include "run/sample.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/options.h"
#include "run/adapter.h"
#include "run/device.h"
#include "run/given.h"
#include "run/label_names.h"
#include "run/options.h"
#include "run/samples.h"
#include "sample/animate.h"
#include "sample/sampler.h"

/* Guidance by labels follows none where every image is without: said, since it would do nothing. */
static int check_followed(const maskdm_options *options, const struct mdm_samples *place, const int32_t *label)
{
    struct mdm_sampler_options told;
    int labelled = 0;

    mdm_options_read(options, &mdm_sampler_options, &told);
    for (int64_t i = 0; label && i < place->missing; i++)
        labelled |= label[i] >= 0;
    if (told.guidance == 1 || labelled || told.guidance_by != MDM_GUIDANCE_AUTO || *place->told.guide)
        return MASKDM_OK;
    return mdm_fail(MASKDM_EINVAL, "%s %g follows labels, and no image has one: it takes %s, %s or %s",
                    mdm_options_said(options, "guidance"), told.guidance, mdm_options_said(options, "label"),
                    mdm_options_said(options, "guide"), mdm_options_said(options, "guidance_by"));
}

/* What is drawn is known: labels and memory are good, and the place is entered. */
static int draw(maskdm_sampler *sampler, const maskdm_options *options, struct mdm_seeds seeds, const int32_t *labels,
                struct mdm_samples *place)
{
    const struct mdm_sample_run_options *told = &place->told;
    const struct mdm_writing how = {.sheet = {told->columns, told->scale, told->captions, (int)told->bits},
                                    .text = place->text->key ? place->text : NULL,
                                    .nearest = place->nearest};
    int64_t written = 0;
    int status;

    if (place->writer)
        return mdm_sampler_write_grid(sampler, place->missing, seeds, labels, &how, &place->writer);
    if (!place->missing)
        return MASKDM_OK;
    status =
        mdm_sampler_write_images(sampler, place->missing, place->number, seeds, labels, &how, told->out, &written);
    if (status < 0)
        mdm_log_line(mdm_control_log(sampler->control), MASKDM_LOG_INFO, "%lld of %lld images are in %s; %s goes on",
                     (long long)(place->there + written), (long long)(place->there + place->missing), place->told.out,
                     mdm_options_said(options, "resume"));
    return status;
}

/* The same, watched where an animation is wanted. */
static int draw_animated(maskdm_sampler *sampler, const maskdm_options *options, struct mdm_seeds seeds,
                         const int32_t *labels, struct mdm_samples *place)
{
    const struct mdm_sample_run_options *told = &place->told;
    const struct mdm_animation_told how = {.images = place->missing,
                                           .one_by_one = told->interpolate.count > 0,
                                           .frames = told->frames,
                                           .noisy = told->animated == MDM_ANIMATED_X,
                                           .columns = told->columns,
                                           .milliseconds = told->frame_time,
                                           .bits = (int)told->bits};
    struct mdm_animation *animation = NULL;
    int status = MASKDM_OK;

    if (place->animation)
        status = mdm_animation_create(&animation, sampler, &how);
    if (status >= 0)
        status = draw(sampler, options, seeds, labels, place);
    if (status >= 0 && animation)
        status = mdm_animation_write(animation, place->text->key ? place->text : NULL, &place->animation);
    mdm_animation_release(&animation);
    return status;
}

static int sample_with(maskdm_sampler *sampler, const maskdm_options *options, const int32_t *labels,
                       struct mdm_samples *place)
{
    struct mdm_given given = {0};
    struct mdm_naming naming;
    int status = mdm_sampler_check_labels(sampler, place->missing, labels);

    if (status >= 0)
        status = mdm_given_hand_over(&given, sampler, &place->told, options);
    naming = mdm_sampler_naming(sampler, mdm_between_seeds(&given.between), labels);
    if (status >= 0)
        status = mdm_sampler_ready_group(sampler,
                                         place->missing < sampler->batch_size ? place->missing : sampler->batch_size);
    if (status >= 0)
        status = mdm_samples_enter(place, options, sampler, &naming);
    if (status >= 0 && *place->told.nearest)
        status = mdm_nearest_open(&place->nearest, sampler, place->told.nearest, place->missing);
    if (status >= 0)
        status = draw_animated(sampler, options, mdm_between_seeds(&given.between), labels, place);
    mdm_given_free(&given);
    return status;
}

static int sample(const maskdm_options *options, maskdm_device *device, struct mdm_samples *place,
                  maskdm_control *control)
{
    const struct mdm_sample_run_options *told = &place->told;
    maskdm_model *model = NULL, *guide = NULL;
    maskdm_sampler *sampler = NULL;
    int32_t *labels = NULL;
    int status = *told->adapter ? mdm_merged_load(&model, device, told->model, told->adapter, 0)
                                : mdm_model_load_one(&model, device, told->model, told->weights);

    if (status >= 0)
        status = mdm_label_names_read(&labels, place->missing, options, model, mdm_control_log(control));
    if (status >= 0 && *told->guide)
        status = mdm_model_load_one(&guide, device, told->guide, told->guide_weights);
    if (status >= 0)
        status = mdm_sampler_create(&sampler, model, told->weights, guide, told->guide_weights, options, control);
    if (status >= 0)
        status = check_followed(options, place, labels);
    if (status >= 0)
        status = sample_with(sampler, options, labels, place);
    mdm_free(labels);
    mdm_sampler_drop(&sampler);
    mdm_model_drop(&guide);
    mdm_model_drop(&model);
    return status;
}

int mdm_sample_run(const maskdm_options *given, maskdm_control *control)
{
    struct mdm_samples place = {0};
    maskdm_device *device = NULL;
    maskdm_options *options;
    int status;

    if (mdm_options_kind(given) != &mdm_sample_kind)
        return mdm_fail(MASKDM_EINVAL, "options of kind %s, not sample", mdm_options_kind(given)->name);
    MDM_TRY(mdm_options_check(given));
    MDM_TRY(mdm_seeds_settle(&options, given));
    status = mdm_samples_open(&place, options);
    if (status >= 0)
        status = mdm_run_open_device(&device, place.told.device, options, mdm_control_log(control));
    if (status >= 0)
        status = sample(options, device, &place, control);
    mdm_samples_close(&place);
    mdm_options_release(&options);
    mdm_device_drop(&device);
    return status;
}
