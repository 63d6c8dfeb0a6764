/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How far images are from a reference, by their features. The page says all that decides its numbers.
 */
#include "run/evaluate.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* ---- numbers ---- */

/* What numbers are called: what is a FID and a KID is so by Inception's features alone. */
struct names {
    const char *features; /* how what they are called begins; "": any others */
    const char *distance, *infinity, *kernel, *deviation;
};

static const struct names names[] = {
    {"inception-v3", "fid", "fid_infinity", "kid", "kid_deviation"},
    {"random-network", "random_feature_distance", "random_feature_distance_infinity",
     "random_feature_kernel_distance", "random_feature_kernel_deviation"},
    {"", "feature_distance", "feature_distance_infinity", "feature_kernel_distance", "feature_kernel_deviation"},
};

static const struct names *names_of(const char *features)
{
    const struct names *n = names;

    while (strncmp(features, n->features, strlen(n->features)) != 0)
        n++;
    return n;
}

const char *mdm_evaluate_distance_name(const char *features)
{
    return names_of(features)->distance;
}

static const struct names *called(const struct mdm_evaluate_job *e)
{
    return names_of(mdm_evaluate_network(e));
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
    mdm_page_number(&e->page, called(e)->infinity, infinity);
    return MASKDM_OK;
}

static int tell_distance(struct mdm_evaluate_job *e)
{
    double distance;

    MDM_TRY(mdm_statistics_distance(e->statistics, e->reference, e->control, &distance));
    mdm_page_number(&e->page, called(e)->distance, distance);
    return tell_infinity(e);
}

static int tell_kernel_distance(struct mdm_evaluate_job *e)
{
    const int64_t fewer = e->made->count < e->real->count ? e->made->count : e->real->count;
    double mean, deviation;

    MDM_TRY(mdm_features_kid(e->made, e->real, &e->metric, e->control, &mean, &deviation));
    mdm_page_number(&e->page, called(e)->kernel, mean);
    mdm_page_number(&e->page, called(e)->deviation, deviation);
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
    MDM_TRY(tell_distance(e));
    if (!e->real) {
        mdm_log_line(e->log, MASKDM_LOG_INFO,
                     "of a reference that is mean and covariance alone there is no more to tell");
        return MASKDM_OK;
    }
    MDM_TRY(tell_kernel_distance(e));
    return tell_neighbours(e);
}

/* What asks for the features of single images, of which statistics know nothing. */
static int check_rows(const struct mdm_evaluate_job *e)
{
    static const char *const of_rows[] = {"subsets",      "subset_size",   "kernel_degree",
                                          "kernel_scale", "kernel_offset", "neighbours"};

    for (size_t i = 0; !e->real && i < MDM_LENGTH(of_rows); i++)
        if (mdm_options_is_set(e->options, of_rows[i]))
            return mdm_fail(MASKDM_EINVAL, "%s is of images or their features, and %s is mean and covariance alone",
                            mdm_options_said(e->options, of_rows[i]), e->told.reference);
    return MASKDM_OK;
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
    return status;
}

static void tell_network(struct mdm_evaluate_job *e)
{
    const maskdm_extractor *x = e->look.extractor;
    static const char *const reading[] = {"background", "orientation"}; /* which change what an image is */
    const char *name = mdm_evaluate_network(e);
    char fitted[96];

    mdm_page_text(&e->page, "features", *name ? name : "unknown");
    mdm_page_count(&e->page, "features_width", e->made->width);
    if (!x)
        return;
    mdm_page_count(&e->page, "features_side", x->kind->side);
    for (size_t i = 0; i < MDM_LENGTH(reading); i++)
        mdm_page_text(&e->page, reading[i], mdm_options_text(e->options, reading[i]));
    if (!e->told.image_size.count) {
        mdm_page_text(&e->page, "resampling", "bilinear");
        return;
    }
    mdm_format(fitted, sizeof fitted, "fitted (%.20s, crop %.20s%s), then bilinear",
               mdm_options_text(e->options, "resize"), mdm_options_text(e->options, "crop"),
               strcmp(mdm_options_text(e->options, "pad"), "true") ? "" : ", padded");
    mdm_page_text(&e->page, "resampling", fitted);
    mdm_page_text(&e->page, "image_size", mdm_options_text(e->options, "image_size"));
}

int mdm_evaluate_distances(struct mdm_evaluate_job *e)
{
    MDM_TRY(mdm_evaluate_open(e));
    MDM_TRY(tell_settings(e));
    if (*e->told.reference) {
        MDM_TRY(mdm_evaluate_reference(e));
        MDM_TRY(check_rows(e));
    }
    MDM_TRY(mdm_evaluate_made(e));
    tell_network(e);
    if (*e->told.save_features)
        MDM_TRY(mdm_features_save(e->made, e->told.save_features));
    if (*e->told.save_statistics)
        MDM_TRY(mdm_statistics_save(e->statistics, e->told.save_statistics));
    return *e->told.reference ? compare(e) : MASKDM_OK;
}
