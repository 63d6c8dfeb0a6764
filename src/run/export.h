/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole export job: a model file in, another form of it out.
 */
#ifndef MASKDM_RUN_EXPORT_H
#define MASKDM_RUN_EXPORT_H

#include "base/log.h"
#include "diffusion/scheduler.h"
#include "model/narrow.h"

struct mdm_text;
struct mdm_torch_writer;
struct mdm_writer;

/* options: kind "export". */
int mdm_export_run(const maskdm_options *options, maskdm_control *control);

/* ---- export_buffers.c ---- */
/* What the authors' diffusion keeps beside the network, which all follows from the betas. */
struct mdm_export_buffers {
    float *table;     /* one allocation */
    int64_t count;    /* of times */
    int64_t *storage; /* of each in the writer, once it was added */
    int weighted;     /* with the weight of the loss at each time, which was theirs to keep at first */
};
/* MASKDM_EINVAL for a process that has no betas, and for betas that their formulas divide by zero. */
int mdm_export_buffers_make(struct mdm_export_buffers *b, const maskdm_scheduler *scheduler, int weighted);
void mdm_export_buffers_free(struct mdm_export_buffers *b);
/* All of them under PREFIX + NAME; from the second time on by the same bytes. */
int mdm_export_buffers_add(struct mdm_export_buffers *b, struct mdm_torch_writer *w, const char *prefix);

/* Members of a scheduler's JSON for diffusers: how many betas, and which. */
int mdm_export_betas(struct mdm_text *t, const maskdm_scheduler *scheduler);

/* ---- export_json.c: members of an object that has some ---- */
void mdm_export_add_int(struct mdm_text *t, const char *key, int64_t x);
void mdm_export_add_int_or_null(struct mdm_text *t, const char *key, int64_t x); /* 0: what diffusers leaves out */
void mdm_export_add_ints(struct mdm_text *t, const char *key, struct mdm_int_list list);
void mdm_export_add_word(struct mdm_text *t, const char *key, const char *word);
void mdm_export_add_bool(struct mdm_text *t, const char *key, int x);
#define MDM_EXPORT_VERSION "\"_diffusers_version\": \"0.24.0\""

/* ---- export_diffusers_unet.c, export_diffusers_dit.c ---- */
/* MASKDM_EINVAL where diffusers would take the network for another. */
int mdm_export_unet_check(const maskdm_model *model);
int mdm_export_dit_check(const maskdm_model *model);
/* A whole config.json. */
void mdm_export_unet_settings(struct mdm_text *t, const maskdm_model *model);
void mdm_export_dit_settings(struct mdm_text *t, const maskdm_model *model);

/* ---- export_diffusers.c ---- */
/* A U-Net or DiT as a folder, which must not be there or be empty. */
int mdm_export_diffusers(const maskdm_model *model, int dtype, const struct mdm_log *log, const char *out);

/* ---- export_torch.c ---- */
/* The model as a checkpoint for its authors' program, into a writer, which is committed or abandoned in every case.
 */
int mdm_export_torch(const maskdm_model *model, int dtype, const struct mdm_log *log, struct mdm_writer **file);

/* ---- export_part.c ---- */
/* One checkpoint in the making. */
struct mdm_export {
    const maskdm_model *model;
    const struct mdm_log *log;
    struct mdm_torch_writer *w;
    struct mdm_export_buffers buffers;
    struct mdm_narrow narrow[2]; /* the plain set and the online one, where that is another */
    int sets;
    int64_t *storage[2]; /* of each parameter in the writer, once it was added; -1 */
};
/* A key of the dictionary that is open; its value goes into the text behind it. */
struct mdm_text *mdm_export_key(struct mdm_export *j, const char *name);
/* Set 0 or 1, or the only one, under PREFIX + NAME; from the second time on by the same bytes. */
int mdm_export_weights(struct mdm_export *j, int set, const char *prefix);
/* What a model file says of itself, and what its host keeps in it. */
int mdm_export_own(struct mdm_export *j);

/* ---- export_maskdm.c ---- */
int mdm_export_maskdm(struct mdm_export *j);

#endif
