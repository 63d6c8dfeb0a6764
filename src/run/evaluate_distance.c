/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How far images are from a reference, by their features. The page says all that decides its numbers.
 */
#include "run/evaluate.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "diffusion/options.h"
#include "model/model.h"
#include "os/file.h"

#include <math.h>

/* ---- what is looked at ---- */

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
    MDM_TRY(mdm_options_extract(&o, e->options, &mdm_sampler_kind));
    mdm_options_write_json(o, &sampler);
    mdm_options_release(&o);
    status = mdm_text_ok(&sampler);
    if (status >= 0)
        mdm_page_json(&e->page, "sampler", sampler.data);
    mdm_text_free(&sampler);
    return status;
}

static int look_at_images(struct mdm_evaluate_job *e)
{
    MDM_TRY(mdm_look_at_folder(&e->made, &e->look, e->told.images, e->told.count));
    mdm_page_path(&e->page, "images", e->told.images);
    mdm_page_text(&e->page, "images_identity", e->look.identity);
    mdm_page_count(&e->page, "images_skipped", e->look.skipped);
    return MASKDM_OK;
}

static void digest_statistics(char out[17], const maskdm_statistics *s, const double *mean, const double *covariance)
{
    struct mdm_digest d;

    mdm_digest_start(&d);
    mdm_digest_add(&d, mean, (size_t)s->width * sizeof *mean);
    mdm_digest_add(&d, covariance, (size_t)(s->width * s->width) * sizeof *covariance);
    mdm_digest_text(&d, out);
}

/* Whatever the reference is kept in, its numbers are what decides. */
static int tell_reference(struct mdm_evaluate_job *e)
{
    const size_t D = (size_t)e->reference->width;
    double *x = mdm_need(D + 1, D * sizeof *x, "statistics");
    int status = x ? mdm_statistics_read(e->reference, x, x + D) : MASKDM_ENOMEM;
    char digest[17];

    if (status >= 0) {
        digest_statistics(digest, e->reference, x, x + D);
        mdm_page_path(&e->page, "reference", e->told.reference);
        mdm_page_count(&e->page, "reference_count", e->reference->count);
        mdm_page_text(&e->page, "reference_digest", digest);
    }
    mdm_free(x);
    return status;
}

static int open_reference(struct mdm_evaluate_job *e)
{
    enum mdm_file_kind kind;

    MDM_TRY(mdm_file_kind_of(&kind, e->told.reference));
    if (kind == MDM_FILE_FOLDER) {
        MDM_TRY(mdm_look_at_folder(&e->real, &e->look, e->told.reference, e->told.reference_count));
        MDM_TRY(mdm_features_statistics(&e->reference, e->real));
        mdm_page_text(&e->page, "reference_identity", e->look.identity);
        mdm_page_count(&e->page, "reference_skipped", e->look.skipped);
    } else {
        MDM_TRY(mdm_statistics_load(&e->reference, e->device, e->told.reference));
        if (!*e->reference->features)
            mdm_log_line(e->log, MASKDM_LOG_WARN,
                         "%s does not say what its features are; they are taken for those of %s", e->told.reference,
                         e->look.extractor->name);
    }
    return tell_reference(e);
}

/* ---- numbers ---- */

static int is_inception(const struct mdm_evaluate_job *e)
{
    return e->look.extractor->kind == &mdm_extractor_inception;
}

/* A covariance of fewer images than numbers is singular: much of the distance is then the number of images. */
static int tell_infinity(struct mdm_evaluate_job *e)
{
    const int64_t count = e->made->count, width = e->made->width;
    double infinity = NAN;

    if (count <= width)
        mdm_log_line(e->log, MASKDM_LOG_WARN,
                     "%lld images are fewer than the %lld numbers of a feature: the distance is mostly their number, "
                     "and compares with distances of equally many images alone; beside it stands what it would be of "
                     "infinitely many",
                     (long long)count, (long long)width);
    if (count > width && !mdm_options_is_set(e->options, "infinity_points") &&
        !mdm_options_is_set(e->options, "infinity_least"))
        return MASKDM_OK;
    if (count >= e->metric.infinity_points + 2)
        MDM_TRY(mdm_features_infinity(e->made, e->reference, &e->metric, e->control, &infinity));
    mdm_page_number(&e->page, is_inception(e) ? "fid_infinity" : "random_feature_distance_infinity", infinity);
    return MASKDM_OK;
}

static int tell_distance(struct mdm_evaluate_job *e)
{
    double distance;

    MDM_TRY(mdm_statistics_distance(e->statistics, e->reference, e->control, &distance));
    mdm_page_number(&e->page, is_inception(e) ? "fid" : "random_feature_distance", distance);
    return tell_infinity(e);
}

static int tell_kernel_distance(struct mdm_evaluate_job *e)
{
    const int64_t fewer = e->made->count < e->real->count ? e->made->count : e->real->count;
    double mean, deviation;

    MDM_TRY(mdm_features_kid(e->made, e->real, &e->metric, e->control, &mean, &deviation));
    mdm_page_number(&e->page, is_inception(e) ? "kid" : "random_feature_kernel_distance", mean);
    mdm_page_number(&e->page, is_inception(e) ? "kid_deviation" : "random_feature_kernel_deviation", deviation);
    mdm_page_count(&e->page, "subset_size", e->metric.subset_size < fewer ? e->metric.subset_size : fewer);
    return MASKDM_OK;
}

static int tell_neighbours(struct mdm_evaluate_job *e)
{
    const int64_t fewer = e->made->count < e->real->count ? e->made->count : e->real->count;
    struct mdm_neighbours n;

    if (fewer <= e->metric.neighbours) {
        mdm_log_line(e->log, MASKDM_LOG_WARN,
                     "precision, recall, density and coverage take more than %lld images on "
                     "either side, there are %lld: they are left out",
                     (long long)e->metric.neighbours, (long long)fewer);
        return MASKDM_OK;
    }
    MDM_TRY(mdm_features_neighbours(e->made, e->real, e->metric.neighbours, e->control, &n));
    mdm_page_number(&e->page, "precision", n.precision);
    mdm_page_number(&e->page, "recall", n.recall);
    mdm_page_number(&e->page, "density", n.density);
    mdm_page_number(&e->page, "coverage", n.coverage);
    return MASKDM_OK;
}

static int compare(struct mdm_evaluate_job *e)
{
    MDM_TRY(open_reference(e));
    MDM_TRY(tell_distance(e));
    if (!e->real) {
        mdm_log_line(e->log, MASKDM_LOG_INFO,
                     "of a reference that is mean and covariance alone there is no more to tell");
        return MASKDM_OK;
    }
    MDM_TRY(tell_kernel_distance(e));
    return tell_neighbours(e);
}

/* ---- the page ---- */

static int tell_settings(struct mdm_evaluate_job *e)
{
    struct mdm_text metric = {0};
    maskdm_options *o;
    int status;

    MDM_TRY(mdm_options_extract(&o, e->options, &mdm_metric_kind));
    mdm_options_write_json(o, &metric);
    mdm_options_release(&o);
    status = mdm_text_ok(&metric);
    if (status >= 0)
        mdm_page_json(&e->page, "metric", metric.data);
    mdm_text_free(&metric);
    mdm_page_text(&e->page, "features", e->look.extractor->name);
    mdm_page_count(&e->page, "features_width", e->look.extractor->kind->width);
    mdm_page_count(&e->page, "features_side", e->look.extractor->kind->side);
    mdm_page_text(&e->page, "resampling",
                  e->told.image_size.count ? "fitted (bicubic, antialiased, centre), then bilinear" : "bilinear");
    if (e->told.image_size.count)
        mdm_page_text(&e->page, "image_size", mdm_options_text(e->options, "image_size"));
    return status;
}

static int open_extractor(struct mdm_evaluate_job *e)
{
    e->look = (struct mdm_looking){.told = &e->told, .options = e->options, .control = e->control};
    if (*e->told.features)
        return mdm_extractor_load(&e->look.extractor, e->device, e->told.features);
    return mdm_extractor_create(&e->look.extractor, e->device);
}

int mdm_evaluate_distances(struct mdm_evaluate_job *e)
{
    MDM_TRY(open_extractor(e));
    MDM_TRY(tell_settings(e));
    MDM_TRY(*e->told.images ? look_at_images(e) : look_at_model(e));
    mdm_page_count(&e->page, "count", e->made->count);
    MDM_TRY(mdm_features_statistics(&e->statistics, e->made));
    if (*e->told.save_statistics)
        MDM_TRY(mdm_statistics_save(e->statistics, e->told.save_statistics));
    return *e->told.reference ? compare(e) : MASKDM_OK;
}
