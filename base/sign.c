#include "base/sign.h"

#include "base/arena.h"
#include "base/fd.h"
#include "base/secret.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PEM_BYTES_MAX 4096

struct sign_key {
    EVP_PKEY *pkey;
};

static struct sign_key *
wrap(EVP_PKEY *pkey)
{
    struct sign_key *key = mem_take(sizeof *key);
    key->pkey = pkey;
    return key;
}

struct sign_key *
sign_key_free(struct sign_key *key)
{
    if (key == NULL) {
        return NULL;
    }
    EVP_PKEY_free(key->pkey);
    return mem_give(key);
}

static enum err_code
check_kind(EVP_PKEY *pkey, const char *path, struct sign_key **ret_key, struct err *err)
{
    if (pkey == NULL || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pkey);
        return err_set(err, ERR_CONFIG, "'%s' holds no Ed25519 key in PEM", path);
    }
    *ret_key = wrap(pkey);
    return ERR_OK;
}

/* No key asks for a pass phrase: that would wait for a terminal. */
static int
no_pass_phrase(char *buf, int size, int is_writing, void *user)
{
    (void)buf;
    (void)size;
    (void)is_writing;
    (void)user;
    return -1;
}

enum err_code
sign_load_public(const char *path, struct sign_key **ret_key, struct err *err)
{
    char pem[PEM_BYTES_MAX];
    AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, pem, sizeof pem);
    if (len < 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "cannot read the public key '%s'", path);
    }
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    EVP_PKEY *pkey = bio == NULL ? NULL : PEM_read_bio_PUBKEY(bio, NULL, no_pass_phrase, NULL);
    BIO_free(bio);
    return check_kind(pkey, path, ret_key, err);
}

static enum err_code
load_private(const char *path, struct sign_key **ret_key, struct err *err)
{
    struct secret pem = {0};
    enum err_code code = secret_read_file(&pem, path, err);
    if (code != ERR_OK) {
        return code;
    }
    BIO *bio = BIO_new_mem_buf(pem.bytes, (int)pem.len);
    EVP_PKEY *pkey = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL);
    BIO_free(bio);
    secret_done(&pem);
    return check_kind(pkey, path, ret_key, err);
}

static enum err_code
write_bio(int fd, BIO *bio, const char *path, struct err *err)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(bio, &bytes);
    if (len <= 0 || write(fd, bytes, (size_t)len) != len || fsync(fd) != 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "could not write '%s'", path);
    }
    secret_wipe(bytes, (size_t)len);
    return ERR_OK;
}

/* Under a name of its own first; link() gives it the final one only if nobody was faster. */
static enum err_code
write_key_file(const char *path, EVP_PKEY *pkey, bool is_private, struct err *err)
{
    AUTO_TEXT staged = TEXT_INIT;
    text_addf(&staged, "%s.%d", path, (int)getpid());
    (void)unlink(text_str(&staged)); /* what a killed process of this number has left */
    AUTO_FD fd =
        open(text_str(&staged), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, is_private ? 0600 : 0644);
    if (fd < 0) {
        return err_set_sys(err, ERR_CONFIG, errno, "could not make '%s'", text_str(&staged));
    }
    BIO *bio = BIO_new(BIO_s_mem());
    int is_fine = bio == NULL  ? 0
                  : is_private ? PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
                               : PEM_write_bio_PUBKEY(bio, pkey);
    enum err_code code = is_fine == 1 ? write_bio(fd, bio, path, err)
                                      : err_set(err, ERR_SYSTEM, "could not encode a key");
    BIO_free(bio);
    if (code == ERR_OK &&
        ((link(text_str(&staged), path) != 0 && errno != EEXIST) || fd_sync_folder_of(path) != 0)) {
        code = err_set_sys(err, ERR_CONFIG, errno, "could not make '%s'", path);
    }
    (void)unlink(text_str(&staged));
    return code;
}

static enum err_code
make_private(const char *path, struct err *err)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (pkey == NULL) {
        return err_set(err, ERR_SYSTEM, "could not make an Ed25519 key");
    }
    enum err_code code = write_key_file(path, pkey, true, err);
    EVP_PKEY_free(pkey);
    return code;
}

enum err_code
sign_open_site(const char *folder, struct sign_key **ret_key, struct err *err)
{
    AUTO_TEXT path = TEXT_INIT;
    AUTO_TEXT public = TEXT_INIT;
    struct sign_key *key = NULL;
    text_addf(&path, "%s/site.key", folder);
    text_addf(&public, "%s/site.pub", folder);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        return err_set_sys(err, ERR_CONFIG, errno, "could not make '%s'", folder);
    }
    enum err_code code = ERR_OK;
    if (access(text_str(&path), F_OK) != 0) {
        code = make_private(text_str(&path), err);
    }
    code = code == ERR_OK ? load_private(text_str(&path), &key, err) : code;
    ASSERT(code != ERR_OK || key != NULL);
    if (code == ERR_OK && access(text_str(&public), F_OK) != 0) {
        code = write_key_file(text_str(&public), key->pkey, false, err);
    }
    if (code != ERR_OK) {
        sign_key_free(key);
        return code;
    }
    *ret_key = key;
    return ERR_OK;
}

enum err_code
sign_bytes(const struct sign_key *key, const void *bytes, size_t len,
           uint8_t ret_signature[static SIGN_BYTES], struct err *err)
{
    size_t signature_len = SIGN_BYTES;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_fine = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
                   EVP_DigestSign(ctx, ret_signature, &signature_len, bytes, len) == 1 &&
                   signature_len == SIGN_BYTES;
    EVP_MD_CTX_free(ctx);
    return is_fine ? ERR_OK : err_set(err, ERR_SYSTEM, "could not sign");
}

bool
sign_is_valid(const struct sign_key *key, const void *bytes, size_t len,
              const uint8_t signature[static SIGN_BYTES])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_valid = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
                    EVP_DigestVerify(ctx, signature, SIGN_BYTES, bytes, len) == 1;
    EVP_MD_CTX_free(ctx);
    return is_valid;
}

void
sign_public_der(const struct sign_key *key, uint8_t ret_der[static SIGN_DER_BYTES])
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key->pkey, &der);
    ASSERT(len == SIGN_DER_BYTES);
    memcpy(ret_der, der, SIGN_DER_BYTES);
    OPENSSL_free(der);
}
