/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a path of data may lead to: a folder, or a file that holds images. A source finds its images, which then are a
 * list as that of a folder's files is (scan.h), and reads them. Whatever comes behind sees that list alone, be it
 * labels, the lists by which data are known again, cache, loader or evaluation. So equal names and bytes are the same
 * data, wherever they lie.
 *
 * A new one is a file with a struct mdm_source_class, and a row in the table of source_find.c.
 */
#ifndef MASKDM_DATA_SOURCE_H
#define MASKDM_DATA_SOURCE_H

#include "data/scan.h"
#include "image/image.h"

enum { MDM_SOURCE_HEAD = 512 }; /* bytes of a file that sources look at */

/* What stands at a path, to be recognised. */
struct mdm_source_look {
    const char *path;
    enum mdm_file_kind kind;
    const unsigned char *head; /* of a file: its first `n` bytes of `size` */
    size_t n;
    uint64_t size;
};

struct mdm_source_class {
    /* 1, 0, or a failure. The first of the table that says 1 has the path, and what is wrong with it is its to say.
     */
    int (*is)(const struct mdm_source_look *look);
    /* Fill s, which is blank but for its kind; the arguments are those of mdm_scan_folder(). Where it fails, what is
     * in s is freed. */
    int (*find)(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except, const struct mdm_log *log,
                maskdm_control *control);
    /* The n bytes from `at` on of the s->file[i].bytes that an image is. They are what tells it from others
     * (s->file[i].mark), and, where there is no `image` below, what is decoded. From any number of threads at once.
     */
    int (*bytes)(const struct mdm_scan *s, int64_t i, void *out, size_t n, uint64_t at);
    /* Where images are arrays of one size (s->samples): those of image i, row by row, channel innermost, of 8 bits or
     * of 16 in the host's order. From any number of threads at once. NULL: they are files. */
    int (*samples)(const struct mdm_scan *s, int64_t i, void *out);
    /* Image i, where it is neither; the line of a failure begins with its path. NULL: `bytes` are decoded. From any
     * number of threads at once. */
    int (*image)(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how);
    /* Where image i is that of another list: that list, and its place there. NULL: they are its own. */
    const struct mdm_scan *(*member)(const struct mdm_scan *s, int64_t *i);
    void (*close)(void *source); /* let go of s->source */
};

extern const struct mdm_source_class mdm_folder_source; /* scan.c */
extern const struct mdm_source_class mdm_tar_source, mdm_zip_source, mdm_tensors_source, mdm_cifar_source;
extern const struct mdm_source_class mdm_lmdb_source;

/* Find the images of whatever stands at `path`; as mdm_scan_folder(). */
int mdm_source_find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except,
                    const struct mdm_log *log, maskdm_control *control);

/* Whether a source knows what stands there; it may still be broken. */
int mdm_source_is(int *is, const char *path);

/* ---- source.c: from any thread, whose line that of a failure is ---- */
int mdm_source_image(maskdm_image **out, const struct mdm_scan *s, int64_t i, const struct mdm_reading *how);
/* Whether image i can be read and begins as one does; the rest of it is not looked at. */
int mdm_source_probe(const struct mdm_scan *s, int64_t i);

/* Whether something of image i is not opaque, 1 or 0. */
int mdm_source_is_transparent(const struct mdm_scan *s, int64_t i);

#endif
