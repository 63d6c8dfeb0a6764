/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model: a network, its weights, and the scheduler that it was made for. A model file describes itself.
 *
 *     maskdm_model_create(&model, dev, "uvit", network_options, scheduler, 1);
 *     maskdm_model_save(model, "model.safetensors");
 *     maskdm_model_load(&model, dev, "model.safetensors");
 *
 * A model has one or two sets of weights: those meant for sampling (the EMA after training), and the online ones
 * where they differ.
 *
 * B images, H x W pixels, C channels, p patch side, P patches, K visible patches.
 * `which` is enum maskdm_weights; MASKDM_EINVAL for other numbers.
 * Thread safety: immutable while shared, so several trainers and samplers may use one model at once;
 * maskdm_model_set_parameter(), _set_labels() and _set_metadata() need it alone, and are MASKDM_EBUSY while a call
 * reads the weights. Trainers have a copy of their own.
 */
#ifndef MASKDM_MODEL_H
#define MASKDM_MODEL_H

#include <maskdm/control.h>
#include <maskdm/device.h>
#include <maskdm/scheduler.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_model maskdm_model;

enum maskdm_weights {
    MASKDM_WEIGHTS_EMA = 0,   /* for sampling; the only ones where EMA was off */
    MASKDM_WEIGHTS_ONLINE = 1 /* what the optimizer moves */
};

/** Fresh weights, drawn from `seed` as the authors initialise them. network: "uvit", "dit", "jit" or "unet", options
 *  of that kind; options and scheduler NULL: the defaults. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_create(maskdm_model **out, maskdm_device *device, const char *network,
                                                     const maskdm_options *options, maskdm_scheduler *scheduler,
                                                     uint64_t seed);
/** Read a model file, or a training state as the model that it would be, from the disk or from memory. MASKDM_EIO,
 *  MASKDM_EFORMAT (naming the tensor and both numbers), MASKDM_ENOMEM. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_load(maskdm_model **out, maskdm_device *device, const char *path);
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_load_memory(maskdm_model **out, maskdm_device *device,
                                                          const void *bytes, size_t size);
/** The same out of the host's hands, in order: what maskdm_model_save_to() gave, say. The file is in memory as a
 *  whole meanwhile. MASKDM_ECANCELED where the host ends it. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_load_from(maskdm_model **out, maskdm_device *device,
                                                        maskdm_read_callback read, void *user);
/** One set of weights of a model file alone, which takes half the memory where the file has both; of a file with one
 *  set, that. All that is asked of the model afterwards is answered from it. For sampling, and to go on from. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_load_one(maskdm_model **out, maskdm_device *device, const char *path,
                                                       int which);
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_load_one_memory(maskdm_model **out, maskdm_device *device,
                                                              const void *bytes, size_t size,
                                                              int which);
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_load_one_from(maskdm_model **out, maskdm_device *device,
                                                            maskdm_read_callback read, void *user, int which);
/** safetensors: plain names are the EMA weights, online.NAME the online ones where they differ. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_save(maskdm_model *model, const char *path);
/** The same bytes into the host's hands, in order, for maskdm_model_load_memory() one day; MASKDM_ECANCELED where it
 *  takes no more. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_save_to(maskdm_model *model, maskdm_write_callback write, void *user);

/** What became of a parameter where a model was made from another. */
enum maskdm_transferred {
    MASKDM_TRANSFER_TAKEN = 0,    /* as it was */
    MASKDM_TRANSFER_RESIZED = 1,  /* for another grid, patch or number of channels */
    MASKDM_TRANSFER_MAPPED = 2,   /* a table of classes, row by row */
    MASKDM_TRANSFER_COMPUTED = 3, /* sines and cosines of another grid */
    MASKDM_TRANSFER_FRESH = 4,    /* drawn: the other model has none */
    MASKDM_TRANSFER_LEFT = 5      /* of the other model alone */
};

/** Told of one parameter, in order; `what` is enum maskdm_transferred. from, to: its shapes in the model that there
 *  was and in the new one, NULL where it is in none, borrowed for the call. */
typedef void (*maskdm_transfer_callback)(void *user, const char *name, int what, const int64_t *from, int from_rank,
                                         const int64_t *to, int to_rank);
/** A new model for other images from a model, on its device. options: of its network's kind, of which image_size,
 *  patch_size, channels and classes may be others than the model's, as may what is for training only; what is not set
 *  is the model's. Learned places are resized bicubically, the embedding of patches so that it makes the same of
 *  patches that were resized, and the prediction like an image; doc/transfer.md has the conventions. names: of the
 *  new labels, from 0 on; a class goes on from that of its name, else from that of its number where no name claims
 *  it, else from the mean of all; count 0: the model's names, as far as there are classes. What is new is drawn from
 *  `seed`. callback: told what became of each parameter, or NULL. MASKDM_EINVAL, with the name and both values, for
 *  an option that cannot be another. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_transfer(maskdm_model **out, maskdm_model *model,
                                                       const maskdm_options *options, const char *const *names,
                                                       int64_t count, uint64_t seed,
                                                       maskdm_transfer_callback callback, void *user);

/* ---- low-rank adapters ---- */

/** A model of `which` weights in which narrow matrices A[rank,I] and B[O,rank] stand beside some matrices W[O,I],
 *  and that computes with W + alpha / rank B A: B is zero, so that nothing changes yet. Its other parameters are
 *  frozen: a trainer moves the adapters alone, which are parameters NAME.lora_A.weight and NAME.lora_B.weight. It is
 *  a model for trainers, samplers and copies; saved are its adapters, or what merging makes of it. options: of kind
 *  "lora" (rank, alpha, on). MASKDM_EINVAL for a pattern that names no matrix, and where the model has adapters
 *  already. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_adapt(maskdm_model **out, maskdm_model *model, int which,
                                                    const maskdm_options *options, uint64_t seed);
/** The same with adapters out of a file, beside the weights of the model that they were trained beside. any_base:
 *  where it has none such, beside its EMA (0: MASKDM_EINVAL). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_load_adapter(maskdm_model **out, maskdm_model *model, const char *path,
                                                           int any_base);
/** Write the adapters alone, safetensors by PEFT's names: base_model.model.NAME.lora_A.weight. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_save_adapter(maskdm_model *model, int which, const char *path);
/** A model without adapters whose weights are the sums, to the bits that the adapted one computes with. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_merge(maskdm_model **out, maskdm_model *model);
MASKDM_API int maskdm_model_has_adapter(const maskdm_model *model);
/** The whole job: a model file of a model file and an adapter. options: kind "merge" (model, adapter, out,
 *  any_base). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_merge(const maskdm_options *options, maskdm_control *control);

/** An independent copy on the same device. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_clone(maskdm_model **out, maskdm_model *model);
MASKDM_API void maskdm_model_release(maskdm_model **model);

/** The network's kind ("uvit", "dit", "jit", "unet"), its image size and patch side in pixels, channels, and classes
 *  (0: unconditional). */
MASKDM_API const char *maskdm_model_network(const maskdm_model *model);
MASKDM_API int64_t maskdm_model_height(const maskdm_model *model);
MASKDM_API int64_t maskdm_model_width(const maskdm_model *model);
MASKDM_API int maskdm_model_channels(const maskdm_model *model);
/** Channels O of the network's prediction: C, or more where it predicts more than samplers and the built-in losses
 *  use, which are the first C. */
MASKDM_API int maskdm_model_outputs(const maskdm_model *model);
MASKDM_API int64_t maskdm_model_patch_size(const maskdm_model *model);
MASKDM_API int64_t maskdm_model_classes(const maskdm_model *model);
/** How many labels have a name, those from 0 on, and the name of label i, or NULL: of the folders of images that the
 *  model was last trained on, byte for byte. Files of models and training states carry them. */
MASKDM_API int64_t maskdm_model_label_count(const maskdm_model *model);
MASKDM_API const char *maskdm_model_label_name(const maskdm_model *model, int64_t i);
/** Name the labels from 0 on, at most as many as there are classes, in place of all names that there were; 1 to 1024
 *  bytes each. They are copied. For images that the host brings, before a trainer is made of the model. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_set_labels(maskdm_model *model, const char *const *names,
                                                         int64_t count);
/** What the host keeps with the model: its own keys and values, in the files as "user.KEY", taken over by copies, by
 *  what is trained from the model, and by training states. Number of entries, key of entry i, value of a key; NULL
 *  where there is none. */
MASKDM_API int64_t maskdm_model_metadata_count(const maskdm_model *model);
MASKDM_API const char *maskdm_model_metadata_key(const maskdm_model *model, int64_t i);
MASKDM_API const char *maskdm_model_metadata(const maskdm_model *model, const char *key);
/** Set an entry, in place of one with this key, or take it away (value NULL). UTF-8; a key has 1 to 128 bytes, a
 *  value up to 65536, a model up to 64 of them. What was asked for before is no longer valid. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_set_metadata(maskdm_model *model, const char *key, const char *value);
/** Whether the online weights are a set of their own. */
MASKDM_API int maskdm_model_has_online(const maskdm_model *model);
/** The network's options, resolved, as JSON; buffer as in maskdm_options_get(). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_options_json(const maskdm_model *model, char *buffer, size_t capacity,
                                                           size_t *needed);
/** The scheduler: one more reference for the caller. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_scheduler(maskdm_scheduler **out, maskdm_model *model);

/* ---- parameters, in the authors' order and under their names ---- */

/** Number of parameters (tensors). */
MASKDM_API int64_t maskdm_model_parameter_count(const maskdm_model *model);
/** All elements together, e.g. 44,292,144. */
MASKDM_API int64_t maskdm_model_parameter_elements(const maskdm_model *model);
MASKDM_API const char *maskdm_model_parameter_name(const maskdm_model *model, int64_t i);
/** Index by name or MASKDM_ENOTFOUND (for which no error line is written). */
MASKDM_API int64_t maskdm_model_parameter_find(const maskdm_model *model, const char *name);
/** Rank; fills shape[0 .. min(rank, capacity)). MASKDM_EINVAL for a bad index. */
MASKDM_API int maskdm_model_parameter_shape(const maskdm_model *model, int64_t i, int64_t *shape, int capacity);
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_get_parameter(const maskdm_model *model, int which,
                                                            int64_t i, float *out, int64_t count);
/** Both names lead to the only set of a model that has one. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_set_parameter(maskdm_model *model, int which, int64_t i,
                                                            const float *value, int64_t count);

/** What diffusion works on, of B images of H x W x C values in -1 .. 1, and back: the pixels themselves, or, of a
 *  model of wavelets, their H/2 x W/2 x 4C coefficients, four bands of C channels of which the first is the
 *  approximation. Noise, x_t and predictions are of these, in samplers' steps and trainers' views too; images that
 *  are given and drawn are pixels everywhere. images, values: B x n each, which do not overlap. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_encode(const maskdm_model *model, int64_t batch, const float *images,
                                                     float *values);
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_decode(const maskdm_model *model, int64_t batch, const float *values,
                                                     float *images);

/**
 * One forward pass. x_t: B x H x W x C (or as maskdm_model_encode() says). times: B, of the scheduler's process,
 * from its image to its last (fractions allowed). labels: B, -1 is the null class;
 * NULL: all null. index: B x visible patch indices, rising, or NULL: all patches (visible is then ignored). out: B x
 * K x p*p*O, a patch's values in (row, column, channel) order; with index NULL, B x H x W x O. Of a model of wavelets
 * patches of details are counted behind those of the approximation, each image has some of both and as many as the
 * first one, and its prediction is that of its patches one behind the other. An image's result does not depend on the
 * batch it is in. Makes its program anew each time: use a sampler or a trainer for many calls.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_predict(maskdm_model *model, int which, int64_t batch,
                                                      const float *x_t, const double *times, const int32_t *labels,
                                                      const int32_t *index, int64_t visible, float *out);

/** What guides a network with a sprint (path-drop guidance, doc/routing.md): the same pass of whole images without
 *  what comes from its deep blocks, which are not run. MASKDM_EINVAL for a network that has none. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_predict_shallow(maskdm_model *model, int which, int64_t batch,
                                                              const float *x_t, const double *times,
                                                              const int32_t *labels, float *out);

/** Bytes that a trainer (weights, gradients, moments, EMA, arena; `visible` patches a micro-batch image) would take
 *  beside its model or, with train 0, a sampler and its model together, before anything is allocated. visible 0: all
 *  patches. batch 0, to train: what options of a whole run (or the defaults) say of batch and mask, the largest of
 *  those that change. A model has two sets of weights where it was trained with an EMA, and the sum for a sampler
 *  allows for them: as a device's memory_limit it suffices for every model file. A model of one set (fresh weights,
 *  or maskdm_model_load_one()) needs one less. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_model_estimate(size_t *size, maskdm_device *device, const char *network,
                                                       const maskdm_options *options, int train, int64_t batch,
                                                       int64_t visible);

/** The whole job: a checkpoint of the authors' program (torch.save since 1.6) becomes a model file. options: kind
 * "convert" (from, out, ema_from, online_from, heads, the scheduler's). The weights are found by their names,
 * whatever wraps and nests them (doc/formats.md); log lines tell which were taken and what was not used. The network
 * follows from the weights' shapes, heads being dim / 64 unless given; the schedule, where it is not given, from the
 * checkpoint's betas. EMA and online weights go in where both are there. MASKDM_EFORMAT with the tensor and both
 * shapes, or with the names between which it is not clear. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_convert(const maskdm_options *options, maskdm_control *control);

/** The whole job the other way: a model file in another form. options: kind "export" (model, out, format, weights,
 * dtype). format "maskdm" is a model file, for shipping one set of weights, or weights of 16 bits; "torch" a
 * checkpoint that the unmodified program of the network's authors loads, and that maskdm_convert() brings back
 * without loss; "diffusers" a folder that diffusers opens, of a U-Net. What the other program cannot learn from it is
 * told as log lines. MASKDM_EINVAL, with the name, for a weight that the type does not hold, and for a model that the
 * program has no place for. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_export(const maskdm_options *options, maskdm_control *control);

#ifdef __cplusplus
}
#endif

#endif
