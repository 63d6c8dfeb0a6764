/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Folders of runs from outside: what stands in one, whether somebody works in it, and pictures of what several of
 * them logged. Any thread may ask, in any process, whether the run goes on or not: nothing in a folder is changed,
 * and what is cut, edited or half written is told of and makes no failure.
 *
 *     maskdm_report("run", 0, print, stdout);
 *     maskdm_options_create(&o, "plot");
 *     maskdm_options_parse(o, "out=loss.svg x=hours");
 *     maskdm_plot((const char *const[]){"run", "other"}, 2, o);
 *
 * maskdm_options_load_run() goes on with a run by its folder alone.
 */
#ifndef MASKDM_RUN_H
#define MASKDM_RUN_H

#include <maskdm/options.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What the folder of a run says: steps done and wanted, whether it is running, losses, times, checkpoints, space on
 * the disk, what cannot be read, and the commands that come next; a page of text, or, with json non-zero, one object
 * of JSON on a line, whose members are folder, kind, running, finished, step, steps, seconds_left, those of the log's
 * last line (doc/formats.md), held_out_step, lowest_held_out_loss, lowest_held_out_step, checkpoints, model, files,
 * bytes and unread_lines; what is not known is null. It goes to `write`, borrowed for the call. MASKDM_ENOTFOUND for
 * a folder without options.json and log.jsonl, MASKDM_ECANCELED where `write` takes no more.
 *
 * Of a PNG file in place of a folder: its size, and the texts in it, of which those that maskdm_sample() writes say
 * with which model, options, seed and label it was drawn (doc/formats.md); in JSON picture, height, width, channels,
 * bits, and texts, a list of pairs of key and text. Compressed texts are left out. MASKDM_EFORMAT for another file.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_report(const char *path, int json, maskdm_write_callback write,
                                               void *user);

/**
 * Draw what the logs of runs say into one picture, or write all their numbers as a table. runs: 1 to 256 folders.
 * options: kind "plot" (out, format, x, y, scale, width, height). The training loss is drawn as it was and as a mean
 * along the way. MASKDM_ENOTFOUND for a folder without a line of a step, or where none has what is to be drawn.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_plot(const char *const *runs, int64_t count, const maskdm_options *options);

#ifdef __cplusplus
}
#endif

#endif
