mod house;
mod lock;
