/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as a zip archive of images, as they are; as the one image of an archive that is right otherwise, and
 * as the list of labels in one, stored and deflated.
 */
#include "fuzz.h"
#include "source.h"

#include "../unit/archive.h"

const char *const mdm_fuzz_words[] = {"PK\1\2",
                                      "PK\3\4",
                                      "PK\5\6",
                                      "PK\6\6",
                                      "PK\6\7",
                                      "PK\7\x08",
                                      "../",
                                      "/",
                                      ".png",
                                      "dataset.json",
                                      "{\"labels\": ",
                                      "[[\"a/1.png\", 3]]",
                                      "null",
                                      "[",
                                      "]",
                                      "\x08",
                                      NULL};

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    struct archive a = {.no_crc = 1, .plain = i & 1, .deflate = i >> 1 & 1, .zip64 = i == 4};
    size_t size = 0;

    if (i < 0 || i > 4)
        return 0;
    add_entry(&a, "a/1.png", "not an image", 12);
    add_entry(&a, "b/2.jpg", "\xff\xd8", 2);
    if (i != 2)
        add_entry(&a, "dataset.json", "{\"labels\": [[\"a/1.png\", 3]]}", 28);
    end_archive(&a);
    if (a.file.size <= capacity)
        memcpy(out, a.file.data, size = a.file.size);
    free_archive(&a);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_source("x.zip", data, size);
    for (int k = 0; k < 4; k++) {
        struct archive a = {.no_crc = 1, .plain = 1, .deflate = k & 1};

        add_entry(&a, "a/1.png", k & 2 ? (const void *)"x" : data, k & 2 ? 1 : size);
        if (k & 2)
            add_entry(&a, "dataset.json", data, size);
        end_archive(&a);
        try_source("x.zip", a.file.data, a.file.size);
        free_archive(&a);
    }
    return 0;
}
