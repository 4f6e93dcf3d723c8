//! The one user whom the doorkeeper lets in.

use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::oauthbearer::properties::{OAuthBearerError, OAuthBearerValidate};
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::mechanisms::scram::tools::{derive_keys, hash_password};
use rsasl::prelude::{SessionError, Validation};
use rsasl::property::{AuthId, OAuthBearerToken, Password};
use rsasl::validate::{Validate, ValidationError};
use sha2::digest::core_api::BlockSizeUser;
use sha2::digest::{Digest, FixedOutputReset};
use sha2::{Sha256, Sha512};

pub const NAME: &str = "callqa";
/// Unlike any other word, so that a log can be searched for it.
pub const PASSWORD: &str = "quetzal-sesame-7041";
/// `{"sub":"callqa","exp":4102444800}`, signed by nobody: the doorkeeper compares it whole.
pub const TOKEN: &str = "e30.eyJzdWIiOiJjYWxscWEiLCJleHAiOjQxMDI0NDQ4MDB9.cXVldHphbA";

const SALT: &[u8] = b"salt of the tests";
/// Kafka's least.
const ITERATIONS: u32 = 4_096;

/// What a login comes to.
pub struct Admission;

impl Validation for Admission {
    type Value = ();
}

pub struct User;

impl SessionCallback for User {
    fn callback(
        &self,
        session: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if request.is::<OAuthBearerValidate>() {
            let is_right = bears_the_token(context);
            let refused = OAuthBearerError::new("invalid_token", None, None);
            request.satisfy::<OAuthBearerValidate>(&if is_right { Ok(()) } else { Err(refused) })?;
        } else if context.get_ref::<AuthId>() == Some(NAME) {
            let (stored, server) = match session.mechanism().mechanism.as_str() {
                "SCRAM-SHA-256" => keys::<Sha256>(),
                _ => keys::<Sha512>(),
            };
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                ITERATIONS, SALT, &stored, &server,
            ))?;
        }
        Ok(())
    }

    fn validate(
        &self,
        session: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        let is_right = match session.mechanism().mechanism.as_str() {
            "PLAIN" => {
                context.get_ref::<AuthId>() == Some(NAME)
                    && context.get_ref::<Password>() == Some(PASSWORD.as_bytes())
            }
            "OAUTHBEARER" => bears_the_token(context),
            // SCRAM comes here once the client has proved that it knows the password.
            _ => context.get_ref::<AuthId>() == Some(NAME),
        };
        if is_right {
            validate.with::<Admission, _>(|| Ok(()))?;
        }
        Ok(())
    }
}

/// rsasl hands on what follows `auth=`, with its scheme (RFC 6750).
fn bears_the_token(context: &Context<'_>) -> bool {
    let credentials = context.get_ref::<OAuthBearerToken>();
    credentials.and_then(|credentials| credentials.strip_prefix("Bearer ")) == Some(TOKEN)
}

/// What a server keeps of a password: the hash of the client's key, and the server's key (RFC 5802).
fn keys<D: Digest + BlockSizeUser + FixedOutputReset + Clone + Sync>() -> (Vec<u8>, Vec<u8>) {
    let mut salted = Default::default();
    hash_password::<D>(PASSWORD.as_bytes(), ITERATIONS, SALT, &mut salted);
    let (client, server) = derive_keys::<D>(salted.as_slice());
    (<D as Digest>::digest(client).to_vec(), server.to_vec())
}
