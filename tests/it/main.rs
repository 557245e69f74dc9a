//! The one integration test binary.

mod openssl;
