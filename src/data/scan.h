/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The images that a source has, their sizes and their labels: the files below a folder, or the entries of an archive.
 */
#ifndef MASKDM_DATA_SCAN_H
#define MASKDM_DATA_SCAN_H

#include <maskdm/control.h>

#include "base/log.h"
#include "data/endings.h"
#include "os/file.h"

#include <stdint.h>

struct mdm_scan_file {
    char *path; /* with the folder's own path before it */
    int64_t bytes;
    uint64_t mark; /* of its last 4096 bytes, which tell images of equal length apart; 0: they could not be read */
    int32_t label; /* -1: beside the sub-folders */
    int left_out;  /* found, but it could not be read as an image; see mdm_scan_settle() */
    uint64_t place; /* where its source has it; of a folder 0 */
};

struct mdm_source_class;

enum { MDM_SCAN_PLACE = 40 }; /* where there are several parts: bits of a place behind the number of the part */

/* In byte order of the paths, which is that of the names below the folder, however its own path is spelt; labels in
 * byte order of the first-level sub-folders that hold images, where the source does not say them itself. */
struct mdm_scan {
    struct mdm_scan_file *file;
    int64_t count, capacity;
    int64_t broken; /* files behind the first `count` that are left out, once settled */
    size_t root;    /* bytes of a path before its name below the folder */
    char **label;
    int64_t labels, label_capacity;
    struct mdm_endings ignored; /* files of a folder that are named as no images */
    int64_t unreadable; /* names of images behind which there is no file to be read: broken links, FIFOs, ... */
    uint64_t digest;    /* of names, sizes, marks and labels */
    const struct mdm_source_class *kind; /* what they are read from; see source.h */
    void *source;                        /* its own; NULL: a folder, whose files are read by path */
    struct mdm_scan_samples {
        int64_t height, width;
        int channels, bits; /* 0: the images are files */
    } samples; /* what every image is, where the source has arrays of them */
    int64_t parts;   /* where several sources make one, each with a weight of its own; else 0 */
    int64_t *weight; /* of a part */
};

/* A folder that is no part of the data wherever it is met, by whatever link; `what` says why in the log. */
struct mdm_scan_except {
    struct mdm_folder_id id;
    const char *what; /* NULL ends a list */
};

/* Every .png, .jpg, .jpeg, .jfif, .jpe and .webp file; hidden ones, those in hidden folders, and runs are left
 * out. What is in the way (links to nothing, folders that cannot be listed, files of other formats) is counted and
 * named to the log in a line for each kind; only when no image is left, or `path` itself cannot be listed, is it an
 * error. `except` may be NULL. `control` is told how many there are so far, and may cancel. */
int mdm_scan_folder(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except,
                    const struct mdm_log *log, maskdm_control *control);
/* Sort, and move the files that are marked as left out behind the others. */
void mdm_scan_settle(struct mdm_scan *s);
/* Mark every file, and digest all of them in the order of their names, those left out too. A walk opens no file: this
 * does, for whoever has to know the files again. */
int mdm_scan_mark_all(struct mdm_scan *s, maskdm_control *control);
/* Over all files in the order of their names: moved folders and other spellings give the same. */
uint64_t mdm_scan_digest(const struct mdm_scan *s);
/* The mark of file i. Fails for want of memory or descriptors alone. */
int mdm_scan_mark(uint64_t *mark, const struct mdm_scan *s, int64_t i);
/* The part that file i is of, where there are several. */
int64_t mdm_scan_part(const struct mdm_scan *s, int64_t i);
/* The name of file i below the folder. */
const char *mdm_scan_name(const struct mdm_scan *s, int64_t i);
void mdm_scan_free(struct mdm_scan *s);

/* ---- for sources ---- */
/* Whether a file is named as an image that is read. */
int mdm_scan_is_image(const char *name);
/* One more file, whose path is taken over, also where this fails. */
int mdm_scan_add(struct mdm_scan *s, char *path, int64_t bytes, int32_t label, uint64_t place);
/* Of the largest of `count` numbers from 0 on, so that names of as many digits are in the numbers' order. */
int mdm_scan_digits(int64_t count);
/* The name of the next label. */
int mdm_scan_add_label(struct mdm_scan *s, const char *name, size_t n);
/* Numbers for names of those of `count` labels that have none yet. */
int mdm_scan_number_labels(struct mdm_scan *s, int64_t count);
/* No label has a name any more; the numbers that files have stay. */
void mdm_scan_forget_labels(struct mdm_scan *s);

#endif
