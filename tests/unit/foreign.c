/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files that are no tensor files are named as what they are, and no tensor file is taken for one of them.
 */
#include "base/error.h"
#include "tensorfile/safetensors.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *bytes;
    size_t size;
    const char *says, *advises;
} kinds[] = {
#define FILE_OF(text, says, advises) {text, sizeof text - 1, says, advises}
    FILE_OF("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
            "a Git LFS pointer (74 bytes)", "git lfs pull"),
    FILE_OF("<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page", "web page"),
    FILE_OF("\n  <HTML><HEAD><TITLE>404", "an HTML page", "web page"),
    FILE_OF("\xef\xbb\xbf<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML text", "message"),
    FILE_OF("{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\"}}", "JSON text", "other files"),
    FILE_OF("[1, 2, 3]", "JSON text", "other files"),
    FILE_OF("Entry not found", "text that begins \"Entry not found\" (15 bytes)", "can be read"),
    FILE_OF("caf\xc3\xa9 au lait\r\n", "text that begins \"caf\"", "can be read"),
    FILE_OF("\x1f\x8b\x08\0\0\0\0\0\0\3", "a gzip archive", "unpack"),
    FILE_OF("\x28\xb5\x2f\xfd\x04\x00", "a zstd archive", "unpack"),
    FILE_OF("\xfd" "7zXZ\0\0\4", "an xz archive", "unpack"),
    FILE_OF("BZh91AY&SY", "a bzip2 archive", "unpack"),
    FILE_OF("\x04\x22\x4d\x18\x64", "an lz4 archive", "unpack"),
    FILE_OF("7z\xbc\xaf\x27\x1c\0\4", "a 7z archive", "unpack"),
    FILE_OF("Rar!\x1a\x07\1\0", "a RAR archive", "unpack"),
    FILE_OF("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a PNG picture", "can be read"),
    FILE_OF("\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture", "can be read"),
    FILE_OF("GIF89a\1\0\1\0", "a GIF picture", "can be read"),
    FILE_OF("RIFF\x24\0\0\0WEBPVP8 ", "a WebP picture", "can be read"),
    FILE_OF("BM\x36\0\0\0\0\0\0\0", "a BMP picture", "can be read"),
    FILE_OF("II*\0\x08\0\0\0", "a TIFF picture", "can be read"),
    FILE_OF("MM\0*\0\0\0\x08", "a TIFF picture", "can be read"),
    FILE_OF("\0\0\0\x20" "ftypavif", "an AVIF picture", "can be read"),
    FILE_OF("\0\0\0\x18" "ftypheic", "a HEIC picture", "can be read"),
    FILE_OF("\0\0\0\x18" "ftypmif1", "a HEIC picture", "can be read"),
    FILE_OF("\0\0\0\x20" "ftypisom", "a video or picture", "can be read"),
    FILE_OF("\0\0\0\x0cJXL \r\n", "a JPEG XL picture", "can be read"),
    FILE_OF("\xff\x0a\xfa\x7f", "a JPEG XL picture", "can be read"),
    FILE_OF("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document", "can be read"),
    FILE_OF("\x7f" "ELF\2\1\1\0\0\0", "a program or library", "can be read"),
    FILE_OF("MZ\x90\0\3\0\0\0", "a program or library", "can be read"),
    FILE_OF("GGUF\3\0\0\0\x10\0", "a GGUF file", "can be read"),
    FILE_OF("\x89HDF\r\n\x1a\n\0\0", "an HDF5 file", "can be read"),
    FILE_OF("\x08\x07\x12\x07pytorch\x1a\5", "an ONNX file", "can be read"),
    FILE_OF("\x1c\0\0\0TFL3\x14\0", "a TensorFlow Lite file", "can be read"),
    FILE_OF("SQLite format 3\0\x10\0", "an SQLite database", "can be read"),
    FILE_OF("PAR1\x15\4\x15\x10", "a Parquet table", "can be read"),
    FILE_OF("\0\5\x16\7\0\2\0\0Mac OS X", "an AppleDouble file", "._"),
    FILE_OF("\x80\2\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "PyTorch checkpoint of the format before 1.6",
            "torch.save"),
    FILE_OF("\x80\4\x95\x10\0\0\0\0\0\0\0}\x94.", "a Python pickle", "torch.save"),
    FILE_OF("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "filled with zeros (20 bytes)", "cut short"),
    FILE_OF("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "filled with zeros (16 bytes)", "cut short"),
    FILE_OF("", "is empty", "tensor file in memory"),
};

static void refused(int status, struct mdm_tensorfile *s, const char *says, const char *advises)
{
    ck_assert_int_eq(status, MASKDM_EFORMAT);
    ck_assert_int_eq(s->count, 0);
    ck_assert_msg(strstr(mdm_error_text(), says) && strstr(mdm_error_text(), advises),
                  "\"%s\" lacks \"%s\", \"%s\"", mdm_error_text(), says, advises);
}

START_TEST(named_as_what_they_are)
{
    struct mdm_tensorfile s;

    for (size_t i = 0; i < MDM_LENGTH(kinds); i++) {
        refused(mdm_safetensors_open_memory(&s, kinds[i].bytes, kinds[i].size), &s, kinds[i].says, kinds[i].advises);
        refused(mdm_tensorfile_open_memory(&s, kinds[i].bytes, kinds[i].size), &s, kinds[i].says, kinds[i].advises);
    }
}
END_TEST

START_TEST(what_is_longer_than_the_first_look)
{
    static char long_text[4000], tar[1024];
    struct mdm_tensorfile s;

    for (size_t i = 0; i + 2 < sizeof long_text; i += 2)
        memcpy(long_text + i, "\xc3\xa9", 2);
    long_text[0] = long_text[1] = 'x'; /* so that the last character of the first look is cut */
    long_text[1] = ' ';
    refused(mdm_safetensors_open_memory(&s, long_text, sizeof long_text), &s, "text that begins", "4000 bytes");
    memmove(long_text + 1, long_text + 2, sizeof long_text - 2);
    refused(mdm_safetensors_open_memory(&s, long_text, sizeof long_text), &s, "text that begins", "4000 bytes");
    strcpy(tar, "model/weights");
    memcpy(tar + 257, "ustar", 5);
    refused(mdm_tensorfile_open_memory(&s, tar, sizeof tar), &s, "a tar archive (1024 bytes)", "torch.load");
}
END_TEST

START_TEST(archives_of_others)
{
    static const char npz[] = "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0arr_0.npy";
    static const char zip[] = "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0model.txt";
    struct mdm_tensorfile s;

    refused(mdm_safetensors_open_memory(&s, npz, sizeof npz - 1), &s, "a NumPy archive", "can be read");
    refused(mdm_safetensors_open_memory(&s, zip, sizeof zip - 1), &s, "a zip archive", "maskdm convert");
}
END_TEST

/* The length of a header may have the bytes of any of them. */
START_TEST(tensor_files_are_none_of_them)
{
    static const size_t lengths[] = {0x00088b1f, 0x4d42, 0x5a4d, 0x0280, 0x2020, 0x0a0a, 0x685a42};

    for (size_t i = 0; i < MDM_LENGTH(lengths); i++) {
        const size_t n = lengths[i];
        char *bytes = malloc(8 + n);
        struct mdm_tensorfile s;

        ck_assert_ptr_nonnull(bytes);
        memset(bytes, ' ', 8 + n);
        for (int k = 0; k < 8; k++)
            bytes[k] = (char)(n >> 8 * k);
        memcpy(bytes + 8, "{}", 2);
        ck_assert_msg(mdm_tensorfile_open_memory(&s, bytes, 8 + n) == MASKDM_OK, "%s", mdm_error_text());
        mdm_tensorfile_close(&s);
        refused(mdm_tensorfile_open_memory(&s, bytes, 7 + n), &s, "is said to have", "follow");
        free(bytes);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("foreign");
    TCase *tests = tcase_create("foreign");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, named_as_what_they_are);
    tcase_add_test(tests, what_is_longer_than_the_first_look);
    tcase_add_test(tests, archives_of_others);
    tcase_add_test(tests, tensor_files_are_none_of_them);
    suite_add_tcase(suite, tests);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
