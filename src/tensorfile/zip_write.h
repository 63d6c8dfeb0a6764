/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writing a zip archive as torch.save does: every entry stored, its bytes at a multiple of 64, so that they can be
 * mapped. Checksums and sizes stand before the bytes, so that the archive is written once, from front to back.
 */
#ifndef MASKDM_TENSORFILE_ZIP_WRITE_H
#define MASKDM_TENSORFILE_ZIP_WRITE_H

#include "os/file.h"
#include "text/text.h"

struct mdm_zip_writer {
    struct mdm_writer *file;
    uint64_t at;               /* bytes written */
    struct mdm_text directory; /* bytes of the central directory */
    uint64_t count;
};

/* Begin an entry of `size` bytes with this checksum; exactly so many go into z->file behind it, and are counted by
 * mdm_zip_put(). */
int mdm_zip_begin(struct mdm_zip_writer *z, const char *name, uint64_t size, uint32_t crc);
int mdm_zip_put(struct mdm_zip_writer *z, const void *bytes, size_t n);
/* The directory; the file is the caller's to commit. */
int mdm_zip_finish(struct mdm_zip_writer *z);
void mdm_zip_drop(struct mdm_zip_writer *z);

#endif
