/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Watching and stopping work: one handle with the progress and log callbacks and flags that any thread, and a signal
 * handler, may raise.
 *
 * Thread safety: maskdm_control_stop(), maskdm_control_cancel() and maskdm_control_save() may be called from any
 * thread and from signal handlers while the handle lives; the rest belongs to the thread that works. Several calls
 * may share a control.
 */
#ifndef MASKDM_CONTROL_H
#define MASKDM_CONTROL_H

#include <maskdm/comm.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_control maskdm_control;

/** What a progress callback sees. Filled by the library; new fields are only appended, and struct_size tells how many
 *  bytes there are. A value that is not known is NaN. */
struct maskdm_progress {
    size_t struct_size;       /* bytes */
    int64_t step, steps;      /* done so far, wanted */
    int64_t images;           /* seen so far, or samples finished */
    int64_t skipped;          /* steps skipped because a loss or gradient was not finite */
    double loss;              /* of this step */
    double lr;                /* of this step */
    double grad_norm;         /* before clipping */
    double held_out_loss;     /* newest */
    double images_per_second; /* over the last second or so */
    double seconds_left;
    int64_t files_read, files; /* while a folder of images is opened: read so far, found so far; both 0 otherwise */
};

/** Called on the thread that called the API, after each step, and some ten times a second while a folder of images
 *  is opened; step and steps are then 0. Non-zero asks to stop as maskdm_control_stop() does. The trainer or
 *  sampler that reports is still at work: another call on it is MASKDM_EBUSY, a release takes effect behind it. */
typedef int (*maskdm_progress_callback)(void *user, const struct maskdm_progress *progress);

/** Both flags lowered, no callbacks. Set a callback to NULL to take it away. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_control_create(maskdm_control **out);
MASKDM_API void maskdm_control_release(maskdm_control **control);
/** Who is told: progress after each step and while images are read, log lines (what was found, skipped, resumed,
 *  saved). `user` comes back as it is. May be called from a callback, and counts from the next report on. */
MASKDM_API void maskdm_control_set_progress(maskdm_control *control, maskdm_progress_callback callback, void *user);
MASKDM_API void maskdm_control_set_log(maskdm_control *control, maskdm_log_callback callback, void *user);

/**
 * Let training runs (maskdm_train() and its like) be the work of several processes, each of which calls the same with
 * the same options and data; NULL: of this one alone. The control has a reference. Each rank computes its share of a
 * step (maskdm_trainer_set_comm(); `accumulate` unset is the number of ranks) and reads the run's folder when it
 * resumes. Rank 0 alone writes, draws, evaluates, and tells progress and log; the others wait for it. What one is
 * refused for, or fails of, all are; a flag that is raised in one of them counts in all.
 */
MASKDM_API void maskdm_control_set_comm(maskdm_control *control, maskdm_comm *comm);

/** Finish the step, save, and return MASKDM_ECANCELED. Where no step has begun yet, while images are read, return as
 *  soon as the image at hand is read: there is nothing to save. */
MASKDM_API void maskdm_control_stop(maskdm_control *control);
/** Return MASKDM_ECANCELED as soon as possible, in the middle of a step: nothing of that step is kept, everything
 *  before it is, and the handles stay usable. */
MASKDM_API void maskdm_control_cancel(maskdm_control *control);
/** Save at the end of the step at hand and go on, as a run does when it is due; nothing where there is no step, and
 *  where nothing is kept. May be asked for at any moment and from anywhere, as a stop may. */
MASKDM_API void maskdm_control_save(maskdm_control *control);
/** Lower both flags; calls that return MASKDM_ECANCELED because of a flag do so themselves. */
MASKDM_API void maskdm_control_reset(maskdm_control *control);

#ifdef __cplusplus
}
#endif

#endif
