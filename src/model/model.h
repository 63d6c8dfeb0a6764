/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The model handle: a network's options, its scheduler, and one or two blocks of weights on a device. Immutable while
 * shared; programs, gradients and moments belong to the trainers and samplers that use it.
 */
#ifndef MASKDM_MODEL_MODEL_H
#define MASKDM_MODEL_MODEL_H

#include <maskdm/model.h>

#include "backend/device.h"
#include "base/handle.h"
#include "model/labels.h"
#include "model/metadata.h"
#include "model/network.h"
#include "model/past.h"
#include "tensor/tensor.h"

struct maskdm_model {
    struct mdm_handle handle;
    maskdm_device *device;
    const struct mdm_network *network;
    maskdm_options *options; /* the network's, resolved */
    struct mdm_geometry geometry;
    maskdm_scheduler *scheduler;
    maskdm_options *sampler; /* of kind "sampler": how the program that it is from draws; NULL: nothing is said */
    struct mdm_labels labels;
    struct mdm_metadata metadata; /* the host's */
    struct mdm_past past;
    struct mdm_params layout;
    struct mdm_adapter *adapter; /* model/adapter.h; NULL: none */
    float *ema;    /* device memory: block for sampling; always there */
    float *online; /* device memory; NULL: the same as ema */
    int borrowed;  /* the blocks belong to a trainer that outlives this handle */
};

/* Everything but the blocks. options, scheduler: copied and held; NULL: the defaults. */
int mdm_model_shell(maskdm_model **out, maskdm_device *device, const char *network, const maskdm_options *options,
                    maskdm_scheduler *scheduler);
/* The same with a copy of that adapter; NULL: none. */
int mdm_model_shell_with(maskdm_model **out, maskdm_device *device, const char *network,
                         const maskdm_options *options, maskdm_scheduler *scheduler,
                         const struct mdm_adapter *adapter);
/* Give a shell its blocks, zeroed; `two`: the online weights are a set of their own. */
int mdm_model_take(maskdm_model *model, int two);
/* Fresh weights from `seed`, one set. */
int mdm_model_create(maskdm_model **out, maskdm_device *device, const char *network, const maskdm_options *options,
                     maskdm_scheduler *scheduler, uint64_t seed);
/* A handle on blocks that a trainer owns and keeps alive; online NULL: one set. */
int mdm_model_view(maskdm_model **out, const maskdm_model *model, float *ema, float *online);
/* Before it is trained: take from `options`, which agree in all else, those of the network that are for training
 * only. */
int mdm_model_retrain(maskdm_model *model, const maskdm_options *options);
void mdm_model_hold(maskdm_model *model);
void mdm_model_drop(maskdm_model **model);
int mdm_model_copy(maskdm_model **out, const maskdm_model *model);
/* Device memory. */
float *mdm_model_block(const maskdm_model *model, enum maskdm_weights which);
/* Bytes of one block. */
size_t mdm_model_bytes(const maskdm_model *model);
/* Bytes of device memory that the handle holds, as its device counts them; what is borrowed is not its own. */
size_t mdm_model_memory(const maskdm_model *model);

/* Of a model that is not made: bytes of a block of weights and of a program's arena, and values of an image. */
struct mdm_model_needs {
    size_t block, arena;
    int64_t values;
};
int mdm_model_needs(struct mdm_model_needs *out, maskdm_device *device, const char *network,
                    const maskdm_options *options, int train, struct mdm_extent extent);
int mdm_model_predict(maskdm_model *model, enum maskdm_weights which, struct mdm_extent extent, const float *x_t,
                      const double *times, const int32_t *labels, const int32_t *index, float *out);

/* A shell that describes itself as `model` does, with other options or, where they are NULL, with its own; its
 * adapter is the model's, or a copy of one that is given (NULL: none). */
int mdm_model_like(maskdm_model **out, const maskdm_model *model, const maskdm_options *options);
int mdm_model_like_with(maskdm_model **out, const maskdm_model *model, const maskdm_options *options,
                        const struct mdm_adapter *adapter);

/* ---- fold.c ---- */
/* Whether it has the channel that tells hidden pixels. */
int mdm_model_has_mask_channel(const maskdm_model *model);
/* A copy without it, which makes the same of whole images. */
int mdm_model_fold(maskdm_model **out, const maskdm_model *model);

/* ---- block.c ---- */
/* Zeros between the parameters of a block, and behind the last. */
int mdm_model_clear_gaps(maskdm_device *device, const struct mdm_params *layout, float *block);
/* Values [from, from + n) of a parameter, from the host into a block, rounded where it is stored so (MASKDM_EINVAL:
 * to infinity); and all of it back. */
int mdm_model_put(maskdm_device *device, const struct mdm_param *p, float *block, int64_t from, const float *value,
                  int64_t n);
int mdm_model_get(maskdm_device *device, const struct mdm_param *p, float *block, float *value);
/* Fresh weights into the EMA's block. */
int mdm_model_draw(maskdm_model *model, uint64_t seed);

/* ---- model_file.c ---- */
struct mdm_tensorfile;
struct mdm_safetensors_writer;
int mdm_model_load(maskdm_model **out, maskdm_device *device, const char *path);
int mdm_model_load_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size);
/* The model has one set, of the two that the file may have. */
int mdm_model_load_one(maskdm_model **out, maskdm_device *device, const char *path, enum maskdm_weights which);
int mdm_model_load_one_memory(maskdm_model **out, maskdm_device *device, const void *bytes, size_t size,
                              enum maskdm_weights which);
/* ---- model_gather.c ---- */
int mdm_model_load_from(maskdm_model **out, maskdm_device *device, maskdm_read_callback read, void *user);
int mdm_model_load_one_from(maskdm_model **out, maskdm_device *device, maskdm_read_callback read, void *user,
                            enum maskdm_weights which);

/* ---- model_file.c ---- */
/* All that such a file says of its model, without the weights. */
int mdm_model_shell_of(maskdm_model **out, maskdm_device *device, const struct mdm_tensorfile *s);

/* ---- model_save.c ---- */
int mdm_model_save(const maskdm_model *model, const char *path);
int mdm_model_save_to(const maskdm_model *model, maskdm_write_callback write, void *user);
/* Rounded to the type mdm_narrow_dtype(dtype); MASKDM_EINVAL for a value that it does not hold. */
int mdm_model_save_as(const maskdm_model *model, int dtype, const char *path);
/* What describes network, scheduler and labels, and the host's entries; shared with training state, as blocks are. */
int mdm_model_write_meta(struct mdm_safetensors_writer *w, const maskdm_model *model);

/* ---- file_format.c ---- */
enum { MDM_FILE_FORMAT = 1 };
/* MASKDM_EVERSION, naming both, where it is not this one. None stated is fine, by a file that says nothing of us. */
int mdm_model_check_format(const struct mdm_tensorfile *s);
/* Whether a file of ours says that it is a "state", an "adapter" ... */
int mdm_model_file_is(const struct mdm_tensorfile *s, const char *kind);

/* ---- model_sampler.c: model->sampler in a file's metadata ---- */
int mdm_model_write_sampler(const maskdm_model *model, struct mdm_safetensors_writer *w);
int mdm_model_read_sampler(maskdm_model *model, const struct mdm_tensorfile *s);

/* ---- model_digest.c ---- */
/* 16 hexadecimal digits that stand for network, schedule and weights. */
int mdm_model_digest(const maskdm_model *model, enum maskdm_weights which, char out[17]);

/* ---- block_file.c: tensor PREFIX + NAME of every parameter ---- */
/* Where the writer reads blocks of that device. */
struct mdm_tensorfile_source mdm_model_source(maskdm_device *device);
/* The writer borrows the source and the block. */
int mdm_model_write_block(struct mdm_safetensors_writer *w, const struct mdm_tensorfile_source *source,
                          const struct mdm_params *layout, const char *prefix, const float *block);
/* Absent or wrongly shaped tensors are MASKDM_EFORMAT with the name and both shapes. */
int mdm_model_check_block(const struct mdm_tensorfile *s, const struct mdm_params *layout, const char *prefix);
/* The same, and values that are not finite are; then `block` is partly filled. Runs on the device's threads. No two
 * parameters have a place in common, which each may have anywhere in the block. */
int mdm_model_read_tensors(maskdm_device *device, struct mdm_tensorfile *s, const struct mdm_params *layout,
                           const char *prefix, float *block);
/* All of a block by its own layout, with zeros in the gaps. */
int mdm_model_read_block(maskdm_device *device, struct mdm_tensorfile *s, const struct mdm_params *layout,
                         const char *prefix, float *block);

#endif
