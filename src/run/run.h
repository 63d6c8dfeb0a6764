/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A run: everything that maskdm_train(), maskdm_pretrain(), maskdm_finetune() and maskdm_tune() hold while they
 * train, and its folder.
 *
 * OUT/options.json, data.json, log.jsonl, checkpoint-STEP.safetensors, model.safetensors, samples-STEP.png,
 * best.safetensors. A checkpoint that was acknowledged is never lost: it is written durably first, and only then are
 * older ones removed.
 */
#ifndef MASKDM_RUN_RUN_H
#define MASKDM_RUN_RUN_H

#include <maskdm/train.h>

#include "data/manifest.h"
#include "data/scan.h"
#include "metric/extractor.h"
#include "option/option.h"
#include "os/file.h"
#include "run/options.h"
#include "run/rate.h"
#include "text/text.h"
#include "train/trainer.h"

enum { MDM_RUN_BUCKETS = 10 };    /* of the time range, in the log's held-out losses */

/* What the lists of data in the folder of a run that is resumed say beside the data of today. */
/* What evaluations of a run compare with, and the best so far. */
struct mdm_run_judge {
    maskdm_extractor *extractor; /* NULL: the run has no evaluations */
    maskdm_statistics *reference; /* made by the first evaluation where it is of images */
    char of[256];     /* all that decides a distance; distances of another such line do not compare */
    char noted[256];  /* that of the log's last distance */
    double best;      /* of those; NaN: none */
};

enum mdm_run_list { MDM_RUN_NO_LIST, MDM_RUN_SAME, MDM_RUN_OTHER };

/* What is known of a stage before the run begins. */
struct mdm_run_plan {
    int64_t first;  /* steps before it */
    int64_t average_first; /* steps before its average began, which it may have from stages before */
    double tokens;  /* visible patches of the images of its steps */
    struct maskdm_cost cost; /* of all its steps, but time and energy */
};

struct mdm_run {
    maskdm_options *options;           /* of kind "train", "pretrain", "finetune" or "tune", resolved, with stages */
    maskdm_options *now;               /* those of the stage at hand */
    struct mdm_train_run_options told; /* by these */
    struct mdm_run_plan *plan;         /* of every stage */
    int stage, stages;                 /* at hand, from 0; how many: 1 where no list is given */
    int64_t total;                     /* steps of all stages */
    int masked;                        /* a stage has a mask */
    uint64_t seed;
    int dry, problems; /* it is only planned: what is wrong is counted, and nothing written */
    const char *may_differ[24]; /* names that the state may have other values of, NULL behind the last */
    int finetune, classes_given; /* it begins with a model file; the number of classes is not that file's choice */
    int tune;     /* for consistency */
    maskdm_control *control;
    maskdm_comm *comm; /* of other processes that train the same (ranks.h); NULL: there are none */
    struct mdm_scan found, found_held_out, found_retained; /* files of folders, until the data sets take them over */

    maskdm_device *device;
    maskdm_model *model; /* where training starts from */
    int transfer;        /* it is not as the file that it is from has it */
    struct mdm_text transferred; /* for transfer.json, until that is written */
    maskdm_data *given;      /* the caller's set, which outlives the run, or NULL: images of a folder */
    maskdm_mask *given_mask; /* the host's, where a stage does not choose one, or NULL */
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    int found_all;                /* the names of files are known */
    maskdm_data *all;             /* the data, before a share is held out */
    maskdm_data *whole;           /* what is not held out */
    maskdm_data *data, *held_out; /* what of it is trained on; held_out NULL: none */
    maskdm_data *retained;        /* NULL: none */
    maskdm_trainer *trainer;

    struct mdm_log voice;     /* the host's log; what it is warned of goes into log.jsonl as well */
    struct mdm_text notes;    /* lines for log.jsonl until it is open */
    enum mdm_run_list list, held_out_list, retained_list;
    struct mdm_folder_lock *lock;    /* of the folder, so that no two runs write into it */
    size_t present;                  /* bytes of its path that were there before this run */
    int begun;                       /* the folder is this run's: it stays, whatever happens */
    struct mdm_appender *log, *events; /* the latter NULL: not asked for */
    int64_t saved;     /* step of the newest checkpoint written by or loaded into this run, -1: none */
    int64_t published; /* step of the model.safetensors that this run wrote last, -1: none */
    double saved_at;   /* clock at the last save, or when training began */
    int64_t validated; /* step of the last held-out loss, -1: none */
    double held_out_loss, bucket[MDM_RUN_BUCKETS];
    struct mdm_run_judge judge;
    double aside;     /* seconds of this start in which it did not train: saving, drawing, validating */
    double clock;     /* of training, at the last measurement */
    int64_t at_clock; /* step then */
    double images_per_second;
    struct mdm_rate rate;   /* of the stage's images */
    double loss_sum;        /* of steps behind the last line of the log */
    int64_t losses;         /* how many, finite ones alone */
    double begun_at;        /* clock at this start's first step */
    double elapsed;         /* seconds from first steps to last lines of earlier starts, as the log knows */
    int64_t first; /* step of the stage that this start goes on from */
    double first_step; /* seconds of it, of this start */
    double spent_seconds, spent_joules; /* in steps of earlier starts, as the log knows, and of stages before */
};

int mdm_run_train(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                  maskdm_control *control);
int mdm_run_pretrain(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                     maskdm_control *control);
int mdm_run_finetune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                     maskdm_control *control);
int mdm_run_tune(maskdm_model **out, const maskdm_options *options, maskdm_data *data, maskdm_mask *mask,
                 maskdm_control *control);

/* ---- tuning.c ---- */
/* Options that were given and have no meaning for it are refused; those of a stage completed by its steps. */
int mdm_run_check_tuning(const maskdm_options *o);
int mdm_run_settle_tuning(maskdm_options *stage, int64_t steps);
void mdm_run_tell_tuning(const struct mdm_run *run);

/* ---- override.c: what `override` says, into run->options and, where that is logged, into the old ones ---- */
int mdm_run_override(struct mdm_run *run);
int mdm_run_override_old(struct mdm_run *run, maskdm_options *old);

/* ---- prepare.c: a status that ends the run, or, in a dry one, a problem that is told and counted ---- */
int mdm_run_pass(struct mdm_run *run, int status);
int mdm_run_prepare(struct mdm_run *run);

/* ---- start.c: what a run begins with, which completes the options ---- */
int mdm_run_fresh_model(struct mdm_run *run);
int mdm_run_load_model(struct mdm_run *run);

/* ---- plan.c ---- */
enum { MDM_RUN_TIMED = 3 }; /* steps; then it is told when the run will be done */
int mdm_run_tell_plan(struct mdm_run *run);
double mdm_run_room(const struct mdm_run *run); /* bytes that a save writes */
void mdm_run_time_step(struct mdm_run *run);
int mdm_run_rehearse(struct mdm_run *run); /* in place of training: these steps, of which nothing stays */

/* ---- setup.c ---- */
/* All parts of a run, from its options, and all checks that cost less than reading the images; then these, and the
 * folder becomes this run's. Where it fails, or is cancelled, the folder is as before. */
int mdm_run_open(struct mdm_run *run, const maskdm_options *options, const struct mdm_option_kind *kind,
                 maskdm_data *data, maskdm_mask *mask, maskdm_control *control);
void mdm_run_close(struct mdm_run *run);

/* ---- stages.c ---- */
/* How many there are and how long, from run->options; the first is then at hand. */
int mdm_run_plan_stages(struct mdm_run *run);
/* Make run->now and run->told those of this one. */
int mdm_run_choose_stage(struct mdm_run *run, int stage);
/* From run->model, a trainer of each stage, to see that it can be made and has images enough; that of the first
 * stays. */
int mdm_run_try_stages(struct mdm_run *run);
/* The stage that did this step, or is to. */
int mdm_run_stage_of(const struct mdm_run *run, int64_t step);
/* Before training begins: have a trainer of that stage, from run->model. */
int mdm_run_go_to_stage(struct mdm_run *run, int stage);
/* Go on with what the stage at hand has made. Where it fails there may be no trainer. */
int mdm_run_next_stage(struct mdm_run *run);

/* ---- place.c ---- */
int64_t mdm_run_first(const struct mdm_run *run); /* steps before the stage at hand */
int64_t mdm_run_step(const struct mdm_run *run);  /* of the run */
struct maskdm_progress mdm_run_progress(const struct mdm_run *run);
/* Tell a schedule of the rate, in a stage's options, of its steps. */
int mdm_run_settle(maskdm_options *stage);
int mdm_run_keep_turns(struct mdm_run *run); /* before that, of a run that goes on */
/* As many images of the stage at hand as cost what is left of all of them. */
double mdm_run_images_left(const struct mdm_run *run);

/* ---- transfer.c ---- */
/* The options of the network that the run's are to agree with: the file's, but where the run may have others. */
int mdm_run_plan_transfer(struct mdm_run *run, maskdm_options **network);
/* Put in place of the model one for the run's images and labels, where those are others. */
int mdm_run_transfer(struct mdm_run *run);
int mdm_run_record_transfer(struct mdm_run *run);

/* ---- retained.c: the same of images that the model has drawn, where there is a folder of them ---- */
#define MDM_RUN_RETAINED "retained.json"
int mdm_run_find_retained(struct mdm_run *run);
int mdm_run_take_retained(struct mdm_run *run);
int mdm_run_give_retained(struct mdm_run *run);
int mdm_run_read_retained(struct mdm_run *run);

/* ---- adapter.c ---- */
int mdm_run_is_adapting(const struct mdm_run *run);
/* Put in place of the model one with adapters, where they are asked for. */
int mdm_run_adapt(struct mdm_run *run);
/* model.safetensors, or adapter.safetensors in its place. */
int mdm_run_publish(struct mdm_run *run);
/* The same under a name of its own. */
int mdm_run_publish_as(struct mdm_run *run, const char *name);

/* ---- tell.c ---- */
void mdm_run_tell(const struct mdm_run *run);

/* ---- cost.c ---- */
/* Lines for the host: what a step takes, and what all have taken. */
int mdm_run_tell_step(struct mdm_run *run);
int mdm_run_tell_total(struct mdm_run *run);
/* And what mask or routing save of the time, which is measured. */
int mdm_run_measure(struct mdm_run *run);
/* Members of a line of the log; and from such a line what earlier starts have spent. */
int mdm_run_log_cost(struct mdm_run *run, struct mdm_text *t);
void mdm_run_recall_cost(struct mdm_run *run, const char *line, size_t n);

/* ---- folders.c ---- */
enum { MDM_RUN_EXCEPTIONS = 3 };    /* room for a list, with its end */
int mdm_run_val_is_data(const struct mdm_run *run);       /* the folder that is trained on; 1, 0 or a failure */
/* Folders to be left out of the training images, or of the held-out ones. None of these can be the run's own. */
int mdm_run_exceptions(const struct mdm_run *run, int held_out, struct mdm_scan_except *list);

/* ---- compare.c ---- */
/* On resume: refuse options, then data, other than those that the folder's run was started with. */
int mdm_run_compare_options(struct mdm_run *run);
int mdm_run_compare_data(struct mdm_run *run);
/* Mark the files that the folder's list of data, where there is one, says were left out. */
int mdm_run_recall(const struct mdm_run *run, struct mdm_scan *found, const char *list);
/* Where the folder had no list of its data, hold them against what the loaded state says, if any; from here on states
 * say what the data are. */
int mdm_run_compare_state(struct mdm_run *run);
/* What a state says of the data at this stage. */
void mdm_run_tell_identity(const struct mdm_run *run, char out[MDM_IDENTITY]);
/* Write down options and data. */
int mdm_run_record(struct mdm_run *run);
/* ---- from_data.c: options that the images answer ---- */
/* What they answered when the run was begun that is now resumed. */
int mdm_run_recall_from_data(struct mdm_run *run);
/* Where the number of classes is to be that of the labels, look for them now. */
int mdm_run_count_classes(struct mdm_run *run);
/* Where nobody says how many channels a fresh network has: four where images are transparent. */
int mdm_run_choose_channels(struct mdm_run *run);

/* ---- images.c: the data sets of a run, in the order in which it learns of them ---- */
/* The names of the files, once. */
int mdm_run_find_images(struct mdm_run *run);
/* Before that: whether the folders are there, and none of them is another. */
int mdm_run_check_folders(const struct mdm_run *run);
/* Their memory, once the model tells how large images are. */
int mdm_run_take_images(struct mdm_run *run);
/* Their number, as far as it is known, against what the trainer needs. */
int mdm_run_check_images(const struct mdm_run *run);
int mdm_run_read_images(struct mdm_run *run);
/* Of those that are not held out, the ones that the stage at hand trains on. */
int mdm_run_pick_images(struct mdm_run *run);

/* ---- labels.c ---- */
/* Give the model the names of the data's labels, and tell what hints that they are not what the classes mean. More
 * labels than classes are refused. */
int mdm_run_match_labels(struct mdm_run *run);

/* ---- runfolder.c ---- */
/* Make the folder, or refuse one that is in use, holds something else or cannot be written. */
int mdm_run_enter_folder(struct mdm_run *run);
/* The newest checkpoint that is whole. */
int mdm_run_load_checkpoint(struct mdm_run *run);
/* From here on the folder is this run's: write options.json and open the log. */
int mdm_run_begin(struct mdm_run *run);
/* Unlock it; what was made for a run that never began goes. */
void mdm_run_leave_folder(struct mdm_run *run);
/* checkpoint-STEP and model.safetensors, then prune. */
int mdm_run_save(struct mdm_run *run);

/* ---- log.c ---- */
void mdm_run_log_note(struct mdm_run *run, const char *line); /* say it, and write it down once the log is open */
void mdm_run_log_listen(struct mdm_run *run);       /* set up run->voice */
/* Say, and write down, that the stage at hand begins; nothing where there is but one. */
int mdm_run_log_stage(struct mdm_run *run);
/* Lines of steps up to `step`, but for those of a stage that begins behind it, moved to the front of the text; their
 * bytes. */
size_t mdm_run_log_keep(char *text, size_t bytes, int64_t step);
/* Open log.jsonl, cut back to lines of steps up to `step`. */
int mdm_run_log_open(struct mdm_run *run, int64_t step);
int mdm_run_log_step(struct mdm_run *run);

/* ---- snapshots.c ---- */
/* Whether there is anything to take snapshots of, where they are asked for. */
int mdm_run_check_snapshots(const struct mdm_run *run);
int mdm_run_snapshot(struct mdm_run *run);
/* Those of steps that this run has not come to. */
int mdm_run_drop_snapshots(const struct mdm_run *run);

/* ---- preview.c ---- */
/* Whether the options make a sampler. */
int mdm_run_check_preview(struct mdm_run *run);
int mdm_run_preview(struct mdm_run *run);
/* Options of kind "sampler" of what a run draws for itself. */
int mdm_run_sampler_options(maskdm_options **out, const struct mdm_run *run);

/* ---- judge.c: distances of what the run's model draws, where they are asked for ---- */
/* The network of features, and what a file can be refused for. */
int mdm_run_open_judge(struct mdm_run *run);
void mdm_run_close_judge(struct mdm_run *run);
/* What a line of the log says of an earlier one, where it does. */
void mdm_run_recall_best(struct mdm_run *run, const char *line, size_t n);
int mdm_run_evaluate(struct mdm_run *run);

#endif
