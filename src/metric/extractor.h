/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks that say of an image what is compared: features. They are recorded, planned and run like all others, and
 * hold their weights themselves.
 */
#ifndef MASKDM_METRIC_EXTRACTOR_H
#define MASKDM_METRIC_EXTRACTOR_H

#include <maskdm/metric.h>

#include "graph/graph.h"
#include "metric/features.h"

/* Colours of an image that is looked at. */
enum { MDM_EXTRACTOR_CHANNELS = 3 };

struct mdm_extractor_class {
    const char *name;
    int64_t side;  /* pixels: images are brought to side x side, their values to -1 .. 1 */
    int64_t width; /* numbers that it says */
    int64_t batch; /* images at once */
    mdm_val (*record)(struct mdm_graph *g, mdm_val image); /* [B,side,side,3] to [B,width] or [B,1,1,width] */
};

extern const struct mdm_extractor_class mdm_extractor_random, mdm_extractor_inception;

struct maskdm_extractor {
    struct mdm_handle handle;
    maskdm_device *device;
    const struct mdm_extractor_class *kind;
    char name[64]; /* of the features: the network's and what tells its weights from others */
    struct mdm_params layout;
    struct mdm_graph graph;
    mdm_val image, output;
    float *weights; /* device memory */
    void *arena;
    size_t weight_bytes, arena_bytes;
    float *staged, *rows; /* host memory, [batch,side,side,3] and [batch,width] */
};

/* Of our own random weights. */
int mdm_extractor_create(maskdm_extractor **out, maskdm_device *device);
void mdm_extractor_drop(maskdm_extractor **out);
/* Of images in 0 .. 1, all of one size, one or three channels each. */
int mdm_extractor_run(maskdm_extractor *e, int64_t count, int64_t height, int64_t width, int channels,
                      const float *images, float *rows, maskdm_control *control);
/* The same in two steps, for images of any sizes: each into a place below kind->batch, from any thread; then the
 * features of those in the first `count` places. */
void mdm_extractor_stage(maskdm_extractor *e, int64_t place, int64_t height, int64_t width, int channels,
                         const float *image);
int mdm_extractor_flush(maskdm_extractor *e, int64_t count, float *rows, maskdm_control *control);
int mdm_extractor_check_channels(int64_t channels);
/* What is done with a group's rows; a failure ends the looking. */
typedef int mdm_extractor_sink(void *user, int64_t count, const float *rows);
/* Of the first `count` images of a set, 0: all, in its order, a group at a time. */
int mdm_extractor_each(maskdm_extractor *e, maskdm_data *data, int64_t count, maskdm_control *control,
                       mdm_extractor_sink *sink, void *user);
/* The same, kept. */
int mdm_extractor_features(maskdm_features **out, maskdm_extractor *e, maskdm_data *data, int64_t count,
                           maskdm_control *control);

/* ---- for who makes one ---- */
/* Recorded, planned, weights taken and not yet there. */
int mdm_extractor_shell(maskdm_extractor **out, maskdm_device *device, const struct mdm_extractor_class *kind);
/* The weights, in host memory: a block of the layout, digested into the name. */
int mdm_extractor_fill(maskdm_extractor *e, const float *block);

/* ---- extractor_file.c ---- */
struct mdm_tensorfile;
int mdm_extractor_load(maskdm_extractor **out, maskdm_device *device, const char *path);
/* Whether a file's tensors are pytorch-fid's Inception-v3, as far as one name can tell. */
int mdm_extractor_is_inception(const struct mdm_tensorfile *f);
/* Makes the file that is loaded, of one that is, and says so. */
int mdm_extractor_convert(struct mdm_tensorfile *f, const char *out, const struct mdm_log *log);

/* ---- bilinear.c ---- */
/* [height,width,channels] in 0 .. 1 to [side,side,3] in -1 .. 1, as PyTorch's interpolate(mode="bilinear") does. */
void mdm_bilinear(float *out, int64_t side, const float *image, int64_t height, int64_t width, int channels);

#endif
