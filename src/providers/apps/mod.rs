//! Apps that hold accounts of their own beside the directory.

pub mod exec;
pub mod github;
pub mod google;
pub mod ldap;
pub mod manual;
pub mod salesforce;
pub mod scim;
pub mod slack;
pub mod zoom;
