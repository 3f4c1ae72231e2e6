//! The same trust for what is not HTTP: the platform's roots, and the authorities of `[http] ca` beside them.

use std::sync::Arc;

use rustls::{
    ClientConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::Trust;

impl Trust {
    /// Verifies chain and name.
    pub fn tls(&self) -> Result<Arc<ClientConfig>, String> {
        let provider = Arc::new(default_provider());
        let extra: Vec<CertificateDer<'static>> = match &self.ca {
            None => vec![],
            Some(pem) => CertificateDer::pem_slice_iter(pem)
                .collect::<Result<_, _>>()
                .map_err(|e| format!("the authorities of [http] ca: {e}"))?,
        };
        let platform = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider.clone())
            .map_err(|e| format!("the platform's authorities: {e}"))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .dangerous() // that is, a verifier of another crate: the platform's
            .with_custom_certificate_verifier(Arc::new(platform))
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
