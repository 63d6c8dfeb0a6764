/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Features of a folder's images and of what a model draws, a group at a time, so that no image outlives its group.
 * Images that a model draws are rounded to 8 bits first, as in the files that they would be compared by elsewhere.
 */
#include "run/evaluate.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "data/reading.h"
#include "data/source.h"
#include "run/label_names.h"
#include "sample/pixels.h"
#include "sample/sampler.h"

enum { WARNED = 10 }; /* broken images that are named as warnings */

/* ---- a folder ---- */

struct group {
    struct mdm_looking *look;
    struct mdm_scan scan;
    struct mdm_reading how;
    struct mdm_failure *failed;   /* of each place */
    double began;
    int64_t wanted, first, count; /* of the images that are looked at */
};

static int stage(maskdm_extractor *e, int64_t place, const maskdm_image *image)
{
    const size_t n = (size_t)image->height * (size_t)image->width * (size_t)image->channels;
    float *x = mdm_need(n, sizeof *x, "an image");

    if (!x)
        return MASKDM_ENOMEM;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)image->sample[i] / 65535;
    mdm_extractor_stage(e, place, image->height, image->width, image->channels, x);
    mdm_free(x);
    return MASKDM_OK;
}

/* What cannot be read is told later, in the order of the files. */
static int read_one(void *arg, int64_t place, int worker)
{
    struct group *g = arg;
    maskdm_image *image = NULL;
    /* Spread over the folder, so that a part of it has all classes. */
    const int64_t i = (g->first + place) * g->scan.count / g->count;
    int status = mdm_source_image(&image, &g->scan, i, &g->how);

    (void)worker;
    if (status >= 0)
        status = stage(g->look->extractor, place, image);
    mdm_image_free(&image);
    g->failed[place].code = 0;
    if (status < 0)
        mdm_failure_take(&g->failed[place], status);
    return status == MASKDM_ENOMEM ? mdm_failure_record(&g->failed[place]) : MASKDM_OK;
}

static void tell_broken(struct group *g, int64_t place)
{
    const struct mdm_log *log = mdm_control_log(g->look->control);
    const int level = g->look->skipped++ < WARNED ? MASKDM_LOG_WARN : MASKDM_LOG_DEBUG;

    mdm_log_line(log, level, "left out: %s", g->failed[place].text);
}

static int look_at_group(struct group *g, int64_t count, maskdm_features *f)
{
    maskdm_extractor *e = g->look->extractor;
    int status;

    MDM_TRY(mdm_device_enter(e->device));
    status = mdm_device_loop(e->device, count, read_one, g);
    mdm_device_leave(e->device);
    MDM_TRY(status);
    MDM_TRY(mdm_extractor_flush(e, count, e->rows, g->look->control));
    for (int64_t i = 0; i < count; i++)
        if (g->failed[i].code)
            tell_broken(g, i);
        else
            MDM_TRY(mdm_features_add(f, 1, e->rows + i * e->kind->width));
    return MASKDM_OK;
}

static void tell(const struct group *g, int64_t done)
{
    struct maskdm_progress progress = mdm_progress_blank();

    progress.step = progress.images = done;
    progress.steps = g->count;
    progress.images_per_second = (double)done / (mdm_clock() - g->began);
    progress.seconds_left = (double)(g->count - done) / progress.images_per_second;
    mdm_control_report(g->look->control, &progress);
}

static int look_at_all(struct group *g, maskdm_features *f)
{
    const int64_t batch = g->look->extractor->kind->batch;

    g->began = mdm_clock();
    g->count = g->wanted && g->wanted < g->scan.count ? g->wanted : g->scan.count;
    for (; g->first < g->count; g->first += batch) {
        const int64_t n = g->count - g->first < batch ? g->count - g->first : batch;

        MDM_TRY(look_at_group(g, n, f));
        tell(g, g->first + n);
        MDM_TRY(mdm_control_check(g->look->control, "looking at images"));
    }
    if (g->look->skipped)
        mdm_log_line(mdm_control_log(g->look->control), MASKDM_LOG_WARN, "%lld of %lld images could not be read",
                     (long long)g->look->skipped, (long long)g->count);
    return f->count ? MASKDM_OK : mdm_fail(MASKDM_EINVAL, "no image could be read");
}

static int read_how(struct group *g)
{
    const struct mdm_int_list *size = &g->look->told->image_size;
    struct mdm_folder_options folder;

    mdm_options_read(g->look->options, &mdm_images_options, &folder);
    MDM_TRY(mdm_reading_set(&g->how, &folder, g->look->options, MDM_EXTRACTOR_CHANNELS));
    if (size->count) {
        g->how.height = size->value[0];
        g->how.width = size->value[size->count - 1];
    }
    return MASKDM_OK;
}

static int look_at_scan(struct group *g, maskdm_features *f)
{
    MDM_TRY(mdm_scan_mark_all(&g->scan, g->look->control));
    mdm_format(g->look->identity, sizeof g->look->identity, "%016llx", (unsigned long long)g->scan.digest);
    g->failed = mdm_need((size_t)g->look->extractor->kind->batch, sizeof *g->failed, "what could not be read");
    return g->failed ? look_at_all(g, f) : MASKDM_ENOMEM;
}

int mdm_look_at_folder(maskdm_features **out, struct mdm_looking *look, const char *path, int64_t wanted)
{
    struct group g = {.look = look, .wanted = wanted};
    int status;

    look->skipped = 0;
    MDM_TRY(read_how(&g));
    MDM_TRY(mdm_source_find(&g.scan, path, NULL, mdm_control_log(look->control), look->control));
    status = mdm_features_create(out, look->extractor->device, look->extractor->kind->width);
    if (status >= 0) {
        mdm_format((*out)->name, sizeof(*out)->name, "%s", look->extractor->name);
        status = look_at_scan(&g, *out);
        if (status < 0)
            mdm_features_drop(out);
    }
    mdm_free(g.failed);
    mdm_scan_free(&g.scan);
    return status;
}

/* ---- a model ---- */

struct drawn {
    struct mdm_looking *look;
    maskdm_features *features;
    const struct mdm_geometry *geometry;
    struct mdm_pixels pixels;
    unsigned char *byte; /* of one image, as a file would have it */
    float *rounded;
};

static int take_drawn(void *user, int64_t first, int64_t batch, const float *x)
{
    struct drawn *d = user;
    const struct mdm_geometry *g = d->geometry;
    const int64_t n = g->height * g->width * g->channels;
    maskdm_extractor *e = d->look->extractor;

    (void)first;
    for (int64_t b = 0; b < batch; b++) {
        mdm_pixels_write(&d->pixels, d->byte, 0, 1, x + b * n);
        for (int64_t i = 0; i < n; i++)
            d->rounded[i] = (float)d->byte[i] / 255;
        mdm_extractor_stage(e, b % e->kind->batch, g->height, g->width, (int)g->channels, d->rounded);
        if ((b + 1) % e->kind->batch == 0 || b + 1 == batch) {
            const int64_t group = b % e->kind->batch + 1;

            MDM_TRY(mdm_extractor_flush(e, group, e->rows, d->look->control));
            MDM_TRY(mdm_features_add(d->features, group, e->rows));
        }
    }
    return MASKDM_OK;
}

/* Those that were given in turn, or all classes; NULL where there are none. */
static int make_labels(int32_t **out, const struct mdm_looking *look, const maskdm_model *model)
{
    const int64_t classes = model->geometry.classes, count = look->told->count;

    MDM_TRY(mdm_label_names_read(out, count, look->options, model, mdm_control_log(look->control)));
    if (*out || !classes)
        return MASKDM_OK;
    *out = mdm_need((size_t)count, sizeof **out, "labels");
    for (int64_t i = 0; *out && i < count; i++)
        (*out)[i] = (int32_t)(i % classes);
    return *out ? MASKDM_OK : MASKDM_ENOMEM;
}

static int draw_all(struct drawn *d, maskdm_sampler *s, const int32_t *labels)
{
    const struct mdm_geometry *g = d->geometry;

    MDM_TRY(mdm_sampler_check_labels(s, d->look->told->count, labels));
    MDM_TRY(mdm_pixels_layout(&d->pixels, g, 1, MASKDM_SAMPLE_U8, 0, 0));
    d->byte = mdm_need((size_t)(g->height * g->width), (size_t)g->channels, "an image");
    d->rounded = mdm_need((size_t)(g->height * g->width), (size_t)g->channels * sizeof *d->rounded, "an image");
    if (!d->byte || !d->rounded)
        return MASKDM_ENOMEM;
    return mdm_sampler_each(s, d->look->told->count, (struct mdm_seeds){0}, labels, take_drawn, d);
}

int mdm_look_at_samples(maskdm_features **out, struct mdm_looking *look, maskdm_model *model)
{
    struct drawn d = {.look = look, .geometry = &model->geometry};
    maskdm_sampler *s = NULL;
    int32_t *labels = NULL;
    int status;

    MDM_TRY(mdm_extractor_check_channels(model->geometry.channels));
    status = mdm_features_create(out, look->extractor->device, look->extractor->kind->width);
    if (status >= 0) {
        mdm_format((*out)->name, sizeof(*out)->name, "%s", look->extractor->name);
        d.features = *out;
        status = mdm_sampler_create(&s, model, look->told->weights, NULL, MASKDM_WEIGHTS_EMA, look->options,
                                    look->control);
    }
    if (status >= 0)
        status = make_labels(&labels, look, model);
    if (status >= 0)
        status = draw_all(&d, s, labels);
    mdm_free(labels);
    mdm_free(d.byte);
    mdm_free(d.rounded);
    mdm_sampler_drop(&s);
    if (status < 0)
        mdm_features_drop(out);
    return status;
}
