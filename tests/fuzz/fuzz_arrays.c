/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as arrays of images: NumPy's, alone and in an archive, and safetensors, a packed file among them.
 */
#include "fuzz.h"
#include "source.h"

#include "../unit/archive.h"

const char *const mdm_fuzz_words[] = {"'|u1'",
                                      "'<u2'",
                                      "'<i8'",
                                      "(2, 4, 3, 3)",
                                      "(2, 3, 4, 3)",
                                      "(2, 4, 3)",
                                      "(2,)",
                                      "'fortran_order': True",
                                      "images",
                                      "labels",
                                      "names",
                                      "maskdm.pack",
                                      "\"1\"",
                                      "maskdm.label_names",
                                      "[\\\"a\\\"]",
                                      "\"U8\"",
                                      "\"I32\"",
                                      "[2,4,3,3]",
                                      "[0,72]",
                                      "arr_0.npy",
                                      "arr_1.npy",
                                      "-1",
                                      NULL};

static const char images[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 4, 3, 3), }";
static const char labels[] = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }";
static const char packed[] =
    "{\"__metadata__\":{\"maskdm.pack\":\"1\",\"maskdm.label_names\":\"[\\\"a\\\", \\\"b\\\"]\"},"
    "\"images\":{\"dtype\":\"U8\",\"data_offsets\":[0,24],\"shape\":[2,2,2,3]},"
    "\"labels\":{\"dtype\":\"I32\",\"data_offsets\":[24,32],\"shape\":[2]},"
    "\"names\":{\"dtype\":\"U8\",\"data_offsets\":[32,48],\"shape\":[16]}}";

size_t mdm_fuzz_seed(int i, uint8_t *out, size_t capacity)
{
    struct archive a = {.no_crc = 1, .plain = 1, .deflate = i == 2};
    unsigned char zeros[72] = {0};
    size_t size = 0;

    if (i < 0 || i > 3)
        return 0;
    if (i == 0) {
        put_array(&a.file, images, zeros, sizeof zeros);
    } else if (i < 3) {
        add_array(&a, "arr_0.npy", images, zeros, sizeof zeros);
        add_array(&a, "arr_1.npy", labels, zeros, 16);
        end_archive(&a);
    } else {
        put_le(&a.file, 8, strlen(packed));
        put_string(&a.file, packed);
        put(&a.file, zeros, 24);
        put(&a.file, "\0\0\0\0\1\0\0\0", 8);
        put(&a.file, "a/1.png\0b/2.png\0", 16);
    }
    if (a.file.size <= capacity)
        memcpy(out, a.file.data, size = a.file.size);
    free_archive(&a);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct archive a = {.no_crc = 1, .plain = 1};

    try_source("x.npy", data, size);
    add_entry(&a, "arr_0.npy", data, size);
    end_archive(&a);
    try_source("x.npz", a.file.data, a.file.size);
    free_archive(&a);
    return 0;
}
