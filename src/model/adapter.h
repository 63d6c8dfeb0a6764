/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Low-rank adapters: beside some of a network's matrices w[O,I] stand a[r,I] and b[O,r], and the network computes
 * with w + s b a. Everything else is frozen, so that training moves these alone.
 *
 * Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", arXiv 2106.09685; the names are PEFT's. A model
 * that has adapters is a model with more parameters: trainers, samplers and copies need not know.
 */
#ifndef MASKDM_MODEL_ADAPTER_H
#define MASKDM_MODEL_ADAPTER_H

#include "model/model.h"

struct mdm_lora_options {
    int64_t rank;
    double alpha; /* 0: the rank */
    const char *on;
};
extern const struct mdm_option_table mdm_lora_options;
extern const struct mdm_option_kind mdm_lora_kind;

struct mdm_adapter {
    maskdm_options *options;      /* of kind "lora", resolved */
    struct mdm_lora_options told; /* whose text lies there */
    double scale;                 /* s = alpha / r */
    char base[17];                /* mdm_model_digest() of the weights that they stand beside */
};

int mdm_adapter_create(struct mdm_adapter **out, const maskdm_options *options);
int mdm_adapter_clone(struct mdm_adapter **out, const struct mdm_adapter *adapter);
void mdm_adapter_free(struct mdm_adapter **adapter);
/* For struct mdm_graph's `adapt`: a parameter freezes, and is returned or, where the layout's adapter stands beside
 * it, the sum with that. */
mdm_val mdm_adapter_record(struct mdm_graph *g, mdm_val param);
/* Which matrix parameter i stands beside as NAME.lora_A.weight, with its b; -1: none. */
int mdm_adapter_beside(const struct mdm_params *layout, int i, int *a, int *b);

/* ---- adapt.c ---- */
/* A model of `which` weights with adapters that do nothing yet: b is 0. */
int mdm_model_adapt(maskdm_model **out, const maskdm_model *base, enum maskdm_weights which,
                    const maskdm_options *options, uint64_t seed);
/* The same with an adapter that is there, whose weights are not filled in. */
int mdm_adapt_shell(maskdm_model **out, const maskdm_model *base, enum maskdm_weights which,
                    const struct mdm_adapter *adapter);
/* A model whose matrices are the sums, to the bits that the adapted one computes with. */
int mdm_model_merge(maskdm_model **out, const maskdm_model *adapted);

/* ---- adapter_file.c ---- */
int mdm_adapter_save(const maskdm_model *adapted, enum maskdm_weights which, const char *path);
/* Beside those weights of the base that they were trained beside. Where it has none such: MASKDM_EINVAL, or, with
 * `any`, beside its EMA. */
int mdm_adapter_load(maskdm_model **out, const maskdm_model *base, const char *path, int any);

#endif
