/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole evaluation: a model or images in, a page of numbers out.
 */
#ifndef MASKDM_RUN_EVALUATE_H
#define MASKDM_RUN_EVALUATE_H

#include "data/data.h"
#include "metric/extractor.h"
#include "run/options.h"
#include "text/text.h"

/* options: kind "evaluate". The page goes to `write`. */
int mdm_evaluate_run(const maskdm_options *options, maskdm_control *control, maskdm_write_callback write, void *user);

/* ---- evaluate_page.c: what is found, as lines and as JSON ---- */
struct mdm_page {
    struct mdm_text lines, json;
    int open; /* an object that has no member yet */
};
void mdm_page_begin(struct mdm_page *p, const char *name); /* a group; NULL: the whole */
void mdm_page_end(struct mdm_page *p);
void mdm_page_number(struct mdm_page *p, const char *name, double x);
void mdm_page_count(struct mdm_page *p, const char *name, int64_t n);
void mdm_page_text(struct mdm_page *p, const char *name, const char *text);
void mdm_page_path(struct mdm_page *p, const char *name, const char *path);
void mdm_page_list(struct mdm_page *p, const char *name, const double *x, int64_t n);
/* A member that is JSON already, and in no line. */
void mdm_page_json(struct mdm_page *p, const char *name, const char *json);
/* End the whole, and give it to `write` as JSON or as lines; MASKDM_ECANCELED where that does not take it. */
int mdm_page_deliver(struct mdm_page *p, int json, maskdm_write_callback write, void *user);
void mdm_page_free(struct mdm_page *p);

/* ---- evaluate_images.c: features of images, wherever they are ---- */
struct mdm_looking {
    maskdm_extractor *extractor;
    const struct mdm_evaluate_run_options *told;
    const maskdm_options *options;
    maskdm_control *control;
    int64_t skipped;     /* of a folder: images that could not be read */
    char identity[17];   /* of a folder: its names, sizes and marks */
};
/* wanted: how many of its images, 0: all. */
int mdm_look_at_folder(maskdm_features **out, struct mdm_looking *look, const char *path, int64_t wanted);
int mdm_look_at_samples(maskdm_features **out, struct mdm_looking *look, maskdm_model *model);

/* ---- evaluate_distance.c ---- */
struct mdm_evaluate_job {
    const maskdm_options *options;
    struct mdm_evaluate_run_options told;
    struct mdm_metric_options metric;
    maskdm_control *control;
    const struct mdm_log *log;
    maskdm_device *device;
    struct mdm_page page;
    struct mdm_looking look;
    int made_is_file, real_is_file; /* not folders, but features or statistics */
    maskdm_features *made, *real;   /* real NULL: the reference is statistics alone */
    maskdm_statistics *statistics, *reference;
};
int mdm_evaluate_distances(struct mdm_evaluate_job *e);

/* ---- evaluate_sets.c: both sides of it, in this order ---- */
/* What they are, and the network, where images are to be looked at. */
int mdm_evaluate_open(struct mdm_evaluate_job *e);
int mdm_evaluate_reference(struct mdm_evaluate_job *e);
int mdm_evaluate_made(struct mdm_evaluate_job *e);
/* How a distance of such features is called: "fid" of Inception's alone. */
const char *mdm_evaluate_distance_name(const char *features);
/* Whether a path leads to images, and not to a file of features or statistics; 0 where there is nothing. */
int mdm_evaluate_images_are_in(int *are, const char *path);
/* Features or statistics of a file. *real is NULL, or *reference. */
int mdm_evaluate_load(maskdm_features **real, maskdm_statistics **reference, maskdm_device *device, const char *path);
/* Whether they can stand beside what the extractor says, or, where it is NULL, beside others; where they have no name
 * to tell by, that is said. */
int mdm_evaluate_check(const maskdm_extractor *x, const char *path, const char *name, int64_t width,
                       const struct mdm_log *log);
/* Of mean and covariance, whatever these are kept in. */
int mdm_evaluate_digest(char out[17], maskdm_statistics *s);
/* What the features are called; "" where nobody knows. */
const char *mdm_evaluate_network(const struct mdm_evaluate_job *e);

/* ---- evaluate_model.c ---- */
int mdm_evaluate_held_out(struct mdm_page *page, const maskdm_options *options,
                          const struct mdm_evaluate_run_options *told, maskdm_device *device,
                          maskdm_control *control);

/* ---- evaluate_seen.c ---- */
/* Warns where the run's list beside the model's file is that of `data`. */
int mdm_evaluate_tell_seen(const char *model, maskdm_data *data, maskdm_control *control);

#endif
