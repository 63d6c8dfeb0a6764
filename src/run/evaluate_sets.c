/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an evaluation compares: images in a folder, images that a model draws, features or statistics in a file. What
 * a file can be refused for is found out before any image is looked at.
 */
#include "run/evaluate.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "data/source.h"
#include "diffusion/options.h"
#include "model/model.h"
#include "tensorfile/tensorfile.h"

#include <string.h>

/* ---- which network ---- */

int mdm_evaluate_images_are_in(int *are, const char *path)
{
    enum mdm_file_kind kind;
    struct mdm_tensorfile f;

    *are = 0;
    MDM_TRY(mdm_file_kind_of(&kind, path));
    if (kind == MDM_FILE_NONE)
        return MASKDM_OK;
    if (kind == MDM_FILE_REGULAR && mdm_tensorfile_open(&f, path) == MASKDM_OK) {
        const int numbers = mdm_features_are_in(&f) || mdm_statistics_are_in(&f);

        mdm_tensorfile_close(&f);
        if (numbers)
            return MASKDM_OK;
    }
    return mdm_source_is(are, path);
}

int mdm_evaluate_open(struct mdm_evaluate_job *e)
{
    const struct mdm_evaluate_run_options *t = &e->told;
    int made = !*t->images, real = 0;

    if (*t->images)
        MDM_TRY(mdm_evaluate_images_are_in(&made, t->images));
    if (*t->reference)
        MDM_TRY(mdm_evaluate_images_are_in(&real, t->reference));
    e->made_is_file = !made;
    e->real_is_file = !real;
    e->look = (struct mdm_looking){.told = t, .options = e->options, .control = e->control};
    if (made || real)
        return *t->features ? mdm_extractor_load(&e->look.extractor, e->device, t->features)
                            : mdm_extractor_create(&e->look.extractor, e->device);
    if (*t->features)
        return mdm_fail(MASKDM_EINVAL, "%s looks at images, and these are files of features",
                        mdm_options_said(e->options, "features"));
    return t->image_size.count ? mdm_fail(MASKDM_EINVAL, "%s fits images, and these are files of features",
                                          mdm_options_said(e->options, "image_size"))
                               : MASKDM_OK;
}

int mdm_evaluate_check(const maskdm_extractor *x, const char *path, const char *name, int64_t width,
                       const struct mdm_log *log)
{
    if (x && *name && strcmp(name, x->name) != 0)
        return mdm_fail(MASKDM_EINVAL, "%s has features of %s, and images are looked at by %s", path, name, x->name);
    if (x && width != x->kind->width)
        return mdm_fail(MASKDM_EINVAL, "%s has features of %lld numbers, and %s says %lld", path, (long long)width,
                        x->name, (long long)x->kind->width);
    if (!*name)
        mdm_log_line(log, MASKDM_LOG_WARN, "%s does not say what its features are; they are taken for those of %s",
                     path, x ? x->name : "what they are compared with");
    return MASKDM_OK;
}

/* Features of a file: of the network at hand, if one is, or of one that the file need not name. */
static int check_network(const struct mdm_evaluate_job *e, const char *path, const char *name, int64_t width)
{
    const maskdm_extractor *x = e->look.extractor;

    return x || *e->told.reference ? mdm_evaluate_check(x, path, name, width, e->log) : MASKDM_OK;
}

const char *mdm_evaluate_network(const struct mdm_evaluate_job *e)
{
    if (e->look.extractor)
        return e->look.extractor->name;
    if (e->made && *e->made->name)
        return e->made->name;
    return e->reference ? e->reference->features : "";
}

/* ---- images ---- */

static int look_at_model(struct mdm_evaluate_job *e)
{
    struct mdm_text sampler = {0};
    maskdm_options *o;
    maskdm_model *model;
    char digest[17];
    int status;

    MDM_TRY(mdm_model_load_one(&model, e->device, e->told.model, e->told.weights));
    status = mdm_model_digest(model, e->told.weights, digest);
    if (status >= 0)
        status = mdm_look_at_samples(&e->made, &e->look, model);
    mdm_model_drop(&model);
    MDM_TRY(status);
    mdm_page_path(&e->page, "model", e->told.model);
    mdm_page_text(&e->page, "model_digest", digest);
    mdm_page_text(&e->page, "weights", e->told.weights == MASKDM_WEIGHTS_EMA ? "ema" : "online");
    if (*e->told.label)
        mdm_page_text(&e->page, "label", mdm_options_text(e->options, "label"));
    MDM_TRY(mdm_options_extract(&o, e->options, &mdm_sampler_kind));
    mdm_options_write_json(o, &sampler);
    mdm_options_release(&o);
    status = mdm_text_ok(&sampler);
    if (status >= 0)
        mdm_page_json(&e->page, "sampler", sampler.data);
    mdm_text_free(&sampler);
    return status;
}

static int look_at_folder(struct mdm_evaluate_job *e)
{
    MDM_TRY(mdm_look_at_folder(&e->made, &e->look, e->told.images, e->told.count));
    mdm_page_path(&e->page, "images", e->told.images);
    mdm_page_text(&e->page, "images_identity", e->look.identity);
    mdm_page_count(&e->page, "images_skipped", e->look.skipped);
    return MASKDM_OK;
}

static int load_features(struct mdm_evaluate_job *e)
{
    if (e->told.count)
        return mdm_fail(MASKDM_EINVAL, "%s is of images, and %s is a file of features",
                        mdm_options_said(e->options, "count"), e->told.images);
    MDM_TRY(mdm_features_load(&e->made, e->device, e->told.images));
    mdm_page_path(&e->page, "images", e->told.images);
    return check_network(e, e->told.images, e->made->name, e->made->width);
}

int mdm_evaluate_made(struct mdm_evaluate_job *e)
{
    if (!*e->told.images)
        MDM_TRY(look_at_model(e));
    else
        MDM_TRY(e->made_is_file ? load_features(e) : look_at_folder(e));
    mdm_page_count(&e->page, "count", e->made->count);
    return mdm_features_statistics(&e->statistics, e->made, e->control);
}

/* ---- the reference ---- */

int mdm_evaluate_digest(char out[17], maskdm_statistics *s)
{
    const size_t D = (size_t)s->width;
    double *x = mdm_need(D + 1, D * sizeof *x, "statistics");
    int status = x ? mdm_statistics_read(s, x, x + D) : MASKDM_ENOMEM;
    struct mdm_digest d;

    if (status >= 0) {
        mdm_digest_start(&d);
        mdm_digest_add(&d, x, (D + 1) * D * sizeof *x);
        mdm_digest_text(&d, out);
    }
    mdm_free(x);
    return status;
}

/* Whatever the reference is kept in, its numbers are what decides. */
static int tell_reference(struct mdm_evaluate_job *e)
{
    char digest[17];

    MDM_TRY(mdm_evaluate_digest(digest, e->reference));
    mdm_page_path(&e->page, "reference", e->told.reference);
    mdm_page_count(&e->page, "reference_count", e->reference->count);
    mdm_page_text(&e->page, "reference_digest", digest);
    return MASKDM_OK;
}

int mdm_evaluate_load(maskdm_features **real, maskdm_statistics **reference, maskdm_device *device, const char *path)
{
    struct mdm_tensorfile f;
    int status;

    *real = NULL;
    *reference = NULL;
    MDM_TRY(mdm_tensorfile_open(&f, path));
    status = mdm_features_are_in(&f) ? mdm_features_read(real, device, &f)
                                     : mdm_statistics_read_file(reference, device, &f);
    mdm_tensorfile_close(&f);
    return status < 0 ? mdm_fail_prefix(status, "%s", path) : MASKDM_OK;
}

static int load_reference(struct mdm_evaluate_job *e)
{
    if (e->told.reference_count)
        return mdm_fail(MASKDM_EINVAL, "%s is of images, and %s is no folder of them",
                        mdm_options_said(e->options, "reference_count"), e->told.reference);
    MDM_TRY(mdm_evaluate_load(&e->real, &e->reference, e->device, e->told.reference));
    return check_network(e, e->told.reference, e->real ? e->real->name : e->reference->features,
                         e->real ? e->real->width : e->reference->width);
}

static int look_at_reference(struct mdm_evaluate_job *e)
{
    MDM_TRY(mdm_look_at_folder(&e->real, &e->look, e->told.reference, e->told.reference_count));
    mdm_page_text(&e->page, "reference_identity", e->look.identity);
    mdm_page_count(&e->page, "reference_skipped", e->look.skipped);
    return MASKDM_OK;
}

int mdm_evaluate_reference(struct mdm_evaluate_job *e)
{
    MDM_TRY(e->real_is_file ? load_reference(e) : look_at_reference(e));
    if (e->real)
        MDM_TRY(mdm_features_statistics(&e->reference, e->real, e->control));
    return tell_reference(e);
}
