/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings. Every configurable thing declares a table of options (name, type, default, range, unit, help); a
 * handle made for a kind is filled by setters, by one string, or from JSON. No public struct carries settings.
 *
 *     maskdm_options *o;
 *     maskdm_options_create(&o, "uvit");
 *     maskdm_options_parse(o, "image_size=64 patch_size=4 dim=512 depth=13 heads=8");
 *     maskdm_options_set_bool(o, "qkv_bias", 1);
 *
 * Kinds: maskdm_options_kind(0), (1), ... lists them: uvit, network, mask, scheduler, optimizer, ema, folder, device,
 * trainer, sampler, image, and the composites train, pretrain, finetune, sample, convert, export and survey, in which
 * the names of a table carry its prefix (mask_ratio, ema_decay). A wrong name is answered with the right one where
 * that can be guessed, from what other programs call the option or from its letters, a wrong value with its range.
 * doc/options.md is the reference, generated from the same tables.
 *
 * A composite may have other defaults than its parts: "pretrain" hides patches and predicts x0, where a mask and a
 * scheduler by themselves hide nothing and predict the noise. Such a default may hold only where another option was
 * not given: "x0 (auto where process is given)".
 *
 * Where an option picks one of several tables (kind network: "network=uvit"), an option that several of them have
 * is one option, set before or behind it, and the default is that of the picked table; maskdm_options_check() refuses
 * one that the picked table lacks.
 *
 * Thread safety: one handle, one thread at a time. Calls that read options share them; a setter is MASKDM_EBUSY until
 * those have returned.
 */
#ifndef MASKDM_OPTIONS_H
#define MASKDM_OPTIONS_H

#include <maskdm/common.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct maskdm_options maskdm_options;

enum maskdm_option_type {
    MASKDM_OPTION_BOOL       = 0, /* "true", "false", "1", "0", "yes", "no" */
    MASKDM_OPTION_INT        = 1,
    MASKDM_OPTION_FLOAT      = 2,
    MASKDM_OPTION_STRING     = 3,
    MASKDM_OPTION_CHOICE     = 4,
    MASKDM_OPTION_INT_LIST   = 5, /* "32" or "32,48" or "32x48" */
    MASKDM_OPTION_FLOAT_LIST = 6
};

/** How messages about options name them. */
enum maskdm_option_spelling {
    MASKDM_SPELL_NAMES = 0, /* mask_ratio, the default */
    MASKDM_SPELL_FLAGS = 1  /* --mask-ratio, for a program that takes them so */
};

/** A handle with every option at its default. MASKDM_ENOTFOUND for an unknown kind. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_create(maskdm_options **out, const char *kind);
MASKDM_API void maskdm_options_release(maskdm_options **options);
/** An independent copy. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_clone(maskdm_options **out, const maskdm_options *options);

/** Name this handle's options so in every message about them, of calls that it is given to as well. enum
 *  maskdm_option_spelling; MASKDM_EINVAL for other values. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_set_spelling(maskdm_options *options, int spelling);

/** Set by text, as a command line gives it; the last value wins. MASKDM_ENOTFOUND for an unknown name. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_set(maskdm_options *options, const char *name, const char *value);
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_set_bool(maskdm_options *options, const char *name, int value);
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_set_int(maskdm_options *options, const char *name, int64_t value);
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_set_float(maskdm_options *options, const char *name, double value);
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_set_list(maskdm_options *options, const char *name,
                                                         const double *value, int64_t count);
/** "name=value name=value ...", separated by spaces; a value with spaces stands in double quotes, in which \" and
 *  \\ are a quote and a backslash. All are set, or none. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_parse(maskdm_options *options, const char *text);
/** A JSON object of name: value; lists as arrays, null for the default. All are set, or none. No name may stand
 * twice. Paths that are not UTF-8 are written as doc/formats.md says. As people write it by hand, it may have
 * comments as C has them, and members "about", "measured" and "open", whose texts are passed over. For training
 * "stages" may be a list of such objects, one for each stage, or the list may stand alone. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_parse_json(maskdm_options *options, const char *json, size_t size);
/**
 * A configuration, in YAML, of the program of MaskDM's authors (github.com/jiachenlei/maskdm), for "pretrain",
 * "finetune" and "train": what it says and what their program does beside it is set, over what was set before. log
 * (may be NULL) is told, with `user`, of each entry that is not taken, and why. MASKDM_ENOTFOUND, with the nearest,
 * for an entry that their configurations do not have, MASKDM_ENOTSUP for one that cannot be followed, and in a build
 * without libyaml. All is set, or nothing. Anchors and aliases are of scalars, tags are not read.
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_parse_yaml(maskdm_options *options, const char *yaml, size_t size,
                                                           maskdm_log_callback log, void *user);
/**
 * Put a stage of a run behind those that there are ("pretrain", "finetune" and "train"): text as for
 * maskdm_options_parse(). What it does not say it has from the options of the run. Names that a stage may give are
 * those of masks, routing, optimizer, average and training step, steps, carry, data_fraction, data_seed, and what
 * weighs the loss and draws the times; others, and values out of range, are MASKDM_EINVAL or MASKDM_ENOTFOUND with
 * the number of the stage, and no stage is added.
 *
 *     maskdm_options_add_stage(o, "mask=block mask_ratio=0.75 steps=1000");
 *     maskdm_options_add_stage(o, "mask=none steps=200 lr=1e-4");
 */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_add_stage(maskdm_options *options, const char *text);
/** How many there are; 0: the options as they are speak of the one stage. */
MASKDM_API int64_t maskdm_options_stage_count(const maskdm_options *options);
/** Whether every option fits the selected kinds ("block_size" with "type=patch" does not) and all that must be
 *  given is. Calls that take options check by themselves. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_check(const maskdm_options *options);

/** The value as text, into `buffer` (NUL terminated, cut at `capacity`); *needed (may be NULL) is the full
 *  length with the NUL. MASKDM_ENOTFOUND for an unknown name. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_get(const maskdm_options *options, const char *name, char *buffer,
                                                    size_t capacity, size_t *needed);
/** All options, resolved, as one JSON object, flat but for "stages"; buffer as in maskdm_options_get(). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_json(const maskdm_options *options, char *buffer, size_t capacity,
                                                     size_t *needed);

/** Go on with a job by the folder that it left, one of a run or of samples: what its options.json says and was not
 *  set before, `out`, which is the folder, and `resume`. Further setters change what the job lets be changed.
 *  MASKDM_ENOTFOUND where there is no such record, MASKDM_EINVAL where it is of another kind, or `out` was set to
 *  something else. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_load_run(maskdm_options *options, const char *folder);

/* ---- presets: options that come with the library, as files share/maskdm/presets/NAME.json ---- */

/** Set what a preset says and what was not set before, so that it may be taken before or behind what overrides it.
 *  folder: where it is in place of the installation's, or NULL (the program maskdm takes MASKDM_PRESETS of its
 *  environment for it). MASKDM_ENOTFOUND, with the names that there are. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_load_preset(maskdm_options *options, const char *name,
                                                            const char *folder);
/** Names of all presets, one a line; buffer as in maskdm_options_get(). */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_presets(const char *folder, char *buffer, size_t capacity,
                                                        size_t *needed);
/** The file of a preset or, of what: "about" (what it is), "measured" (what it costs and gives, or that nobody
 *  measured it), "open" (what its source leaves open), that text alone, "" where it has none. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_preset_text(const char *name, const char *what, const char *folder,
                                                            char *buffer, size_t capacity, size_t *needed);

/* ---- what there is ---- */

/** Name of the i-th kind, NULL past the last. */
MASKDM_API const char *maskdm_options_kind(int64_t i);
/** One line about a kind, NULL if there is none of that name. */
MASKDM_API const char *maskdm_options_kind_help(const char *kind);
/** Number of options of a kind; MASKDM_ENOTFOUND if there is none of that name. */
MASKDM_API int64_t maskdm_options_count(const char *kind);

/** A fact about option i of a kind: "name", "table", "table_help", "type", "default", "range", "choices", "unit",
 *  "when" ("mask=patch|block"; two are joined by ", "), "required" ("yes"), "alias" (what other programs call it,
 *  "a|b") or "help", "" where it does not apply; a default or help that differs between tables is "9 (one), 12
 *  (other)". buffer as in maskdm_options_get(). MASKDM_ENOTFOUND for an unknown kind, index or fact. */
MASKDM_API MASKDM_MUST_CHECK int maskdm_options_describe(const char *kind, int64_t i, const char *fact,
                                                         char *buffer, size_t capacity, size_t *needed);
/** enum maskdm_option_type of option i of a kind; MASKDM_ENOTFOUND for an unknown kind or index. */
MASKDM_API int maskdm_options_type(const char *kind, int64_t i);

#ifdef __cplusplus
}
#endif

#endif
