/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option tables of whole runs, and the composite kinds.
 */
#ifndef MASKDM_RUN_OPTIONS_H
#define MASKDM_RUN_OPTIONS_H

#include <maskdm/model.h>

#include "data/augment.h"
#include "option/option.h"

/* As mdm_narrow_dtype(). */
enum mdm_export_dtype { MDM_EXPORT_F32, MDM_EXPORT_F16, MDM_EXPORT_BF16 };

enum mdm_init_weights { MDM_INIT_ONLINE, MDM_INIT_EMA };
enum mdm_on_full { MDM_FULL_STOP, MDM_FULL_WAIT };
enum mdm_carry { MDM_CARRY_NOTHING, MDM_CARRY_ALL };

/* Of training in stages, pre-training and fine-tuning; pre-training has no `init` and `init_weights`. */
struct mdm_train_run_options {
    const char *init;
    enum mdm_init_weights init_weights;
    const char *retain;
    const char *data, *out;
    double data_fraction;
    int64_t data_seed;
    int64_t steps;
    double masked_share;
    enum mdm_carry carry;
    int64_t save_every;
    double save_minutes;
    int64_t keep, keep_every, log_every, sample_every, sample_count, sample_steps;
    int64_t evaluate_every, evaluate_count;
    const char *evaluate_reference, *evaluate_features;
    int64_t snapshot_every;
    enum mdm_export_dtype snapshot_dtype;
    const char *val;
    double val_share;
    int64_t val_every, val_count;
    int resume;
    const char *override;
    enum mdm_on_full on_disk_full;
    int tensorboard, dry_run, accept_changed_data, measure;
    const char *device;
};

enum { MDM_INTERPOLATE_SEEDS = 256 }; /* most */
enum mdm_animated { MDM_ANIMATED_X0, MDM_ANIMATED_X };

struct mdm_sample_run_options {
    const char *model, *out;
    int64_t count;
    const char *label;
    const char *init_image;
    double strength;
    const char *inpaint, *hole;
    const char *seeds;
    struct mdm_int_list interpolate;
    const char *animate;
    enum mdm_animated animated;
    int64_t frames, frame_time;
    int64_t bits, columns, scale;
    int captions, metadata;
    const char *nearest;
    enum maskdm_weights weights;
    const char *adapter, *model_digest, *guide;
    enum maskdm_weights guide_weights;
    const char *guide_digest;
    int resume;
    const char *device;
};

enum mdm_export_format { MDM_EXPORT_AUTO, MDM_EXPORT_MASKDM, MDM_EXPORT_TORCH, MDM_EXPORT_DIFFUSERS };

struct mdm_export_run_options {
    const char *model, *out;
    enum mdm_export_format format;
    enum mdm_export_weights { MDM_EXPORT_BOTH, MDM_EXPORT_EMA, MDM_EXPORT_ONLINE } weights;
    enum mdm_export_dtype dtype;
};

struct mdm_evaluate_run_options {
    const char *model, *data, *images, *reference, *features, *save_features, *save_statistics;
    int64_t count, reference_count, val_count, val_seed;
    int loss; /* enum mdm_loss_kind */
    double loss_delta;
    struct mdm_int_list image_size;
    const char *label;
    enum maskdm_weights weights;
    int json;
    const char *device;
};

struct mdm_pack_run_options {
    const char *data, *out;
    struct mdm_int_list image_size;
    int64_t channels, bits;
    int resume;
};

struct mdm_survey_run_options {
    const char *data, *out;
    int masked;
    int64_t count, columns;
    struct mdm_int_list image_size;
    int64_t patch_size, channels;
    struct mdm_augment augment;
    int64_t seed;
    int json;
};

struct mdm_convert_run_options {
    const char *from, *out, *ema_from, *online_from;
    int64_t heads;
    struct mdm_int_list image_size;
};

struct mdm_merge_run_options {
    const char *model, *adapter, *out;
    int any_base;
};

enum mdm_plot_format { MDM_PLOT_BY_NAME, MDM_PLOT_SVG, MDM_PLOT_PNG, MDM_PLOT_CSV };
enum { MDM_PLOT_AUTO }; /* of what is drawn */

struct mdm_plot_run_options {
    const char *out;
    enum mdm_plot_format format;
    int x, y; /* places in the tables of plot.c, that of y behind AUTO */
    int scale; /* enum mdm_chart_scale */
    int64_t width, height;
};

struct mdm_average_run_options {
    const char *run, *out;
    double std;
    int64_t step; /* 0: the last */
    enum mdm_export_dtype dtype;
};

extern const struct mdm_option_table mdm_pretrain_run_options;
extern const struct mdm_option_table mdm_finetune_run_options;
extern const struct mdm_option_table mdm_start_run_options, mdm_rest_run_options; /* training begins either way */
extern const struct mdm_option_table mdm_sample_run_options;
extern const struct mdm_option_table mdm_convert_run_options;
extern const struct mdm_option_table mdm_export_run_options;
extern const struct mdm_option_table mdm_merge_run_options;
extern const struct mdm_option_table mdm_average_run_options;
extern const struct mdm_option_table mdm_evaluate_run_options;
extern const struct mdm_option_table mdm_plot_run_options;
extern const struct mdm_option_table mdm_survey_run_options;

extern const struct mdm_option_default mdm_drawing_standard[]; /* how images are drawn from a model */
extern const struct mdm_option_table mdm_pack_run_options;

extern const struct mdm_option_kind mdm_train_kind;
extern const struct mdm_option_kind mdm_pretrain_kind;
extern const struct mdm_option_kind mdm_finetune_kind;
extern const struct mdm_option_kind mdm_tune_kind;
extern const struct mdm_option_kind mdm_sample_kind;
extern const struct mdm_option_kind mdm_convert_kind;
extern const struct mdm_option_kind mdm_export_kind;
extern const struct mdm_option_kind mdm_merge_kind;
extern const struct mdm_option_kind mdm_average_kind;
extern const struct mdm_option_kind mdm_evaluate_kind;
extern const struct mdm_option_kind mdm_plot_kind;
extern const struct mdm_option_kind mdm_pack_kind;
extern const struct mdm_option_kind mdm_survey_kind;

#endif
